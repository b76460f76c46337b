#include "tunnel/wireguard_messages.h"

#include <algorithm>

namespace sidestream::tunnel {
namespace {

void write_type(ByteWriter& writer, MessageType type) {
  writer.u32_le(static_cast<std::uint32_t>(type));
}

}  // namespace

std::optional<MessageType> message_type(Bytes datagram) {
  ByteReader reader(datagram);
  const std::uint32_t type = reader.u32_le();
  const bool fits = (type == 1 && datagram.size() == initiation_bytes) ||
                    (type == 2 && datagram.size() == response_bytes) ||
                    (type == 3 && datagram.size() == cookie_reply_bytes) ||
                    (type == 4 && datagram.size() >= keepalive_bytes);
  if (!fits) return std::nullopt;
  return static_cast<MessageType>(type);
}

std::optional<Initiation> Initiation::parse(Bytes datagram) {
  if (message_type(datagram) != MessageType::initiation) return std::nullopt;
  ByteReader reader(datagram.subspan(4));
  Initiation message;
  message.sender = reader.u32_le();
  std::ranges::copy(reader.take(message.noise.size()), message.noise.begin());
  return message;
}

void Initiation::serialize(std::span<std::uint8_t, initiation_bytes> into) const {
  ByteWriter writer(into);
  write_type(writer, MessageType::initiation);
  writer.u32_le(sender);
  writer.bytes(noise);
  writer.zeros(macs_bytes);
}

std::optional<Response> Response::parse(Bytes datagram) {
  if (message_type(datagram) != MessageType::response) return std::nullopt;
  ByteReader reader(datagram.subspan(4));
  Response message;
  message.sender = reader.u32_le();
  message.receiver = reader.u32_le();
  std::ranges::copy(reader.take(message.noise.size()), message.noise.begin());
  return message;
}

void Response::serialize(std::span<std::uint8_t, response_bytes> into) const {
  ByteWriter writer(into);
  write_type(writer, MessageType::response);
  writer.u32_le(sender);
  writer.u32_le(receiver);
  writer.bytes(noise);
  writer.zeros(macs_bytes);
}

std::optional<CookieReply> CookieReply::parse(Bytes datagram) {
  if (message_type(datagram) != MessageType::cookie_reply) return std::nullopt;
  ByteReader reader(datagram.subspan(4));
  CookieReply message;
  message.receiver = reader.u32_le();
  std::ranges::copy(reader.take(message.nonce.size()), message.nonce.begin());
  std::ranges::copy(reader.take(message.cookie.size()), message.cookie.begin());
  return message;
}

void CookieReply::serialize(std::span<std::uint8_t, cookie_reply_bytes> into) const {
  ByteWriter writer(into);
  write_type(writer, MessageType::cookie_reply);
  writer.u32_le(receiver);
  writer.bytes(nonce);
  writer.bytes(cookie);
}

std::optional<TransportHeader> TransportHeader::parse(Bytes datagram) {
  if (message_type(datagram) != MessageType::transport) return std::nullopt;
  ByteReader reader(datagram.subspan(4));
  TransportHeader header;
  header.receiver = reader.u32_le();
  header.counter = reader.u64_le();
  return header;
}

void TransportHeader::serialize(std::span<std::uint8_t, transport_header_bytes> into) const {
  ByteWriter writer(into);
  write_type(writer, MessageType::transport);
  writer.u32_le(receiver);
  writer.u64_le(counter);
}

}  // namespace sidestream::tunnel
