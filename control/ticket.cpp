#include "control/ticket.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "streams/base64.h"

namespace sidestream::control {
namespace {

constexpr std::string_view prefix = "ss1_";
constexpr std::uint8_t version = 1;
constexpr std::size_t header_bytes = 4;
constexpr std::size_t header_characters = 8;  // at least: with them the header can be decoded
constexpr std::size_t checksum_bytes = 4;
constexpr std::size_t bytes_max = 4096;

// The third byte of the length is a check of the header alone, so that a wrong length is told from
// a missing end.
std::uint8_t header_check(std::uint8_t kind, std::uint16_t length) {
  return static_cast<std::uint8_t>(0x5aU ^ kind ^ (length >> 8U) ^ (length & 0xffU));
}

// CRC-32 (ISO 3309, as in zlib): finds every wrong character and every two that changed places.
std::uint32_t crc32(Bytes bytes) {
  std::uint32_t crc = 0xffffffffU;
  for (const std::uint8_t byte : bytes) {
    crc ^= byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1U) ^ ((crc & 1U) != 0 ? 0xedb88320U : 0U);
  }
  return ~crc;
}

std::size_t base64_characters(std::size_t bytes) {
  return (bytes * 4 + 2) / 3;
}

bool is_base64url(char character) {
  return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z') ||
         (character >= '0' && character <= '9') || character == '-' || character == '_';
}

std::string_view without_white_space(std::string_view text) {
  constexpr std::string_view white_space = " \t\r\n";
  const std::size_t begin = text.find_first_not_of(white_space);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(white_space) - begin + 1);
}

// `ss2_…`: the prefix of a version that this program does not know.
bool has_other_version(std::string_view text) {
  if (!text.starts_with("ss")) return false;
  const std::size_t end = text.find_first_not_of("0123456789", 2);
  return end != std::string_view::npos && end > 2 && end < 6 && text[end] == '_';
}

// The binary form of a ticket whose frame (prefix, length, checksum) is whole.
std::expected<std::vector<std::uint8_t>, TicketError> open_frame(std::string_view text) {
  if (text.empty()) return std::unexpected(TicketError::empty);
  if (!text.starts_with(prefix)) {
    if (prefix.starts_with(text)) return std::unexpected(TicketError::truncated);
    return std::unexpected(has_other_version(text) ? TicketError::unknown_version
                                                   : TicketError::not_a_ticket);
  }
  text.remove_prefix(prefix.size());
  if (!std::ranges::all_of(text, is_base64url)) return std::unexpected(TicketError::bad_character);
  if (text.size() < header_characters) return std::unexpected(TicketError::truncated);

  const auto begin = parse_base64url(text.substr(0, header_characters));
  ByteReader header(*begin);
  const std::uint8_t kind = header.u8();
  const std::uint16_t length = header.u16();
  if (header.u8() != header_check(kind, length)) return std::unexpected(TicketError::damaged);
  if (kind != version) return std::unexpected(TicketError::unknown_version);
  if (length > bytes_max || length < header_bytes + checksum_bytes)
    return std::unexpected(TicketError::damaged);
  if (text.size() < base64_characters(length)) return std::unexpected(TicketError::truncated);
  if (text.size() > base64_characters(length)) return std::unexpected(TicketError::too_long);

  auto bytes = parse_base64url(text);
  if (!bytes) return std::unexpected(TicketError::damaged);  // bits beyond the last byte
  const Bytes content = Bytes(*bytes).first(bytes->size() - checksum_bytes);
  if (crc32(content) != ByteReader(Bytes(*bytes).last(checksum_bytes)).u32()) {
    wipe(*bytes);
    return std::unexpected(TicketError::damaged);
  }
  return std::move(*bytes);
}

IpAddress read_address(ByteReader& reader, bool v6) {
  const Bytes bytes = reader.take(v6 ? 16 : 4);
  if (reader.failed()) return {};
  std::array<std::uint8_t, 16> v6_bytes{};
  std::ranges::copy(bytes, v6_bytes.begin());
  return v6 ? IpAddress::v6(v6_bytes) : IpAddress::v4(ByteReader(bytes).u32());
}

}  // namespace

std::string_view text_of(TicketError error) {
  switch (error) {
    case TicketError::empty:
      return "the ticket is empty; paste the line that `sidestream invite` printed";
    case TicketError::not_a_ticket:
      return "this is not a ticket; a ticket is the line that `sidestream invite` prints and "
             "begins with ss1_";
    case TicketError::bad_character:
      return "the ticket holds a character that no ticket has, such as white space or a quote; "
             "paste it as one line and nothing else";
    case TicketError::truncated:
      return "the ticket is cut off: its end is missing; paste the whole line";
    case TicketError::too_long:
      return "something stands behind the end of the ticket; paste the ticket alone";
    case TicketError::damaged:
      return "the ticket's checksum does not match: a character is wrong or missing; paste it "
             "again";
    case TicketError::unknown_version:
      return "the ticket is of a version that this sidestream does not know; update it to the "
             "edge's version";
    case TicketError::invalid:
      return "the ticket's checksum matches but its content is impossible; make a new one with "
             "`sidestream invite`";
  }
  return "";
}

bool Ticket::is_valid() const {
  const bool v6 = edge_address.is_v6();
  const unsigned prefix_min = v6 ? TicketLimits::v6_prefix_min : TicketLimits::v4_prefix_min;
  const unsigned prefix_max = v6 ? TicketLimits::v6_prefix_max : TicketLimits::v4_prefix_max;
  const auto is_dialable = [](const HostPort& endpoint) {
    return check_host(endpoint.host).has_value() && endpoint.port != 0;
  };
  return !edge_endpoints.empty() && edge_endpoints.size() <= TicketLimits::endpoints_max &&
         std::ranges::all_of(edge_endpoints, is_dialable) &&
         edge_public_key != tunnel::PublicKey{} && prefix_length >= prefix_min &&
         prefix_length <= prefix_max && network().contains(sidecar_address) &&
         edge_address != sidecar_address && !edge_address.is_unspecified() &&
         !sidecar_address.is_unspecified() && !secret.is_zero();
}

std::expected<Ticket, TicketError> Ticket::parse(std::string_view text) {
  auto bytes = open_frame(without_white_space(text));
  if (!bytes) return std::unexpected(bytes.error());
  auto ticket = parse_content(
      Bytes(*bytes).subspan(header_bytes, bytes->size() - header_bytes - checksum_bytes));
  wipe(*bytes);
  return ticket;
}

std::expected<Ticket, TicketError> Ticket::parse_content(Bytes bytes) {
  ByteReader reader(bytes);
  Ticket ticket;
  const std::size_t endpoints = reader.u8();
  if (endpoints > TicketLimits::endpoints_max) return std::unexpected(TicketError::invalid);
  for (std::size_t i = 0; i < endpoints; ++i) {
    HostPort& endpoint = ticket.edge_endpoints.emplace_back();
    endpoint.host = sidestream::text_of(reader.take(reader.u8()));
    endpoint.port = reader.u16();
  }
  std::ranges::copy(reader.take(32), ticket.edge_public_key.bytes.begin());
  const std::uint8_t family = reader.u8();
  if (family != 4 && family != 6) return std::unexpected(TicketError::invalid);
  ticket.prefix_length = reader.u8();
  ticket.edge_address = read_address(reader, family == 6);
  ticket.sidecar_address = read_address(reader, family == 6);
  std::ranges::copy(reader.take(SecretKey::size), ticket.secret.reveal().begin());
  if (reader.failed() || !reader.empty() || !ticket.is_valid())
    return std::unexpected(TicketError::invalid);
  return ticket;
}

SecretText Ticket::text() const {
  std::size_t length = header_bytes + 1 + 32 + 2 + 2 * edge_address.bytes().size() +
                       SecretKey::size + checksum_bytes;
  for (const HostPort& endpoint : edge_endpoints) length += 1 + endpoint.host.size() + 2;
  std::vector<std::uint8_t> bytes(length);

  ByteWriter writer(bytes);
  writer.u8(version);
  writer.u16(static_cast<std::uint16_t>(length));
  writer.u8(header_check(version, static_cast<std::uint16_t>(length)));
  writer.u8(static_cast<std::uint8_t>(edge_endpoints.size()));
  for (const HostPort& endpoint : edge_endpoints) {
    writer.u8(static_cast<std::uint8_t>(endpoint.host.size()));
    writer.bytes(bytes_of(endpoint.host));
    writer.u16(endpoint.port);
  }
  writer.bytes(edge_public_key.bytes);
  writer.u8(edge_address.is_v6() ? 6 : 4);
  writer.u8(static_cast<std::uint8_t>(prefix_length));
  writer.bytes(edge_address.bytes());
  writer.bytes(sidecar_address.bytes());
  writer.bytes(secret.reveal());
  writer.u32(crc32(writer.written()));

  std::string text = serialize_base64url(bytes);
  SecretText ticket(std::string(prefix) + text);
  wipe(bytes);
  wipe({reinterpret_cast<std::uint8_t*>(text.data()), text.size()});
  return ticket;
}

}  // namespace sidestream::control
