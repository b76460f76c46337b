#include "tunnel/link_messages.h"

#include <algorithm>
#include <utility>

namespace sidestream::tunnel {
namespace {

using Message = std::vector<std::uint8_t>;

Message begin(LinkMessageKind kind) {
  constexpr std::size_t usual_bytes = 64;
  Message message;
  message.reserve(usual_bytes);
  message.push_back(static_cast<std::uint8_t>(kind));
  return message;
}

// An address is the number of its bytes and they themselves.
void append(Message& message, const IpAddress& address) {
  const Bytes bytes = address.bytes();
  message.push_back(static_cast<std::uint8_t>(bytes.size()));
  message.insert(message.end(), bytes.begin(), bytes.end());
}

void append(Message& message, const SocketAddress& address) {
  append(message, address.address);
  message.push_back(static_cast<std::uint8_t>(address.port >> 8U));
  message.push_back(static_cast<std::uint8_t>(address.port));
}

IpAddress read_address(ByteReader& reader) {
  constexpr std::size_t v4_bytes = 4;
  constexpr std::size_t v6_bytes = 16;
  const std::size_t size = reader.u8();
  if (size == v4_bytes) return IpAddress::v4(reader.u32());
  std::array<std::uint8_t, v6_bytes> bytes{};
  if (size != v6_bytes) reader.fail();
  std::ranges::copy(reader.take(v6_bytes), bytes.begin());
  return IpAddress::v6(bytes);
}

SocketAddress read_socket_address(ByteReader& reader) {
  const IpAddress address = read_address(reader);
  return {address, reader.u16()};
}

std::optional<std::vector<TcpEnds>> read_connections(ByteReader& reader) {
  std::vector<TcpEnds> connections;
  while (!reader.empty()) {
    const SocketAddress local = read_socket_address(reader);
    const SocketAddress remote = read_socket_address(reader);
    if (reader.failed()) return std::nullopt;
    connections.push_back({local, remote});
  }
  return connections;
}

void append(Message& message, std::span<const TcpEnds> connections) {
  for (const TcpEnds& ends : connections) {
    append(message, ends.local);
    append(message, ends.remote);
  }
}

}  // namespace

std::vector<std::uint8_t> serialize(const LinkStanding& standing) {
  std::array<std::uint8_t, 4> count{};
  ByteWriter(count).u32(standing.connections);
  Message message = begin(LinkMessageKind::standing);
  message.insert(message.end(), count.begin(), count.end());
  append(message, standing.gone);
  return message;
}

std::optional<LinkStanding> parse_link_standing(Bytes body) {
  ByteReader reader(body);
  LinkStanding standing;
  standing.connections = reader.u32();
  if (reader.failed()) return std::nullopt;
  auto gone = read_connections(reader);
  if (!gone || gone->size() > standing_gone_max) return std::nullopt;
  standing.gone = std::move(*gone);
  return standing;
}

std::vector<std::uint8_t> serialize_peer_lost(const IpAddress& address) {
  Message message = begin(LinkMessageKind::peer_lost);
  append(message, address);
  return message;
}

std::optional<IpAddress> parse_peer_lost(Bytes body) {
  ByteReader reader(body);
  const IpAddress address = read_address(reader);
  if (reader.failed() || !reader.empty()) return std::nullopt;
  return address;
}

std::vector<std::uint8_t> serialize(std::span<const TcpEnds> connections) {
  Message message;
  append(message, connections);
  return message;
}

std::optional<std::vector<TcpEnds>> parse_connections(Bytes bytes) {
  ByteReader reader(bytes);
  return read_connections(reader);
}

}  // namespace sidestream::tunnel
