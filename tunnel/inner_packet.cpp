#include "tunnel/inner_packet.h"

#include <algorithm>

namespace sidestream::tunnel {
namespace {

constexpr std::size_t ipv4_header_min = 20;
constexpr std::size_t ipv6_header = 40;
constexpr std::size_t ipv4_checksum_at = 10;

unsigned version_of(Bytes packet) {
  return packet.empty() ? 0 : packet[0] >> 4U;
}

IpAddress ipv4_at(Bytes packet, std::size_t at) {
  return IpAddress::v4(ByteReader(packet.subspan(at, 4)).u32());
}
IpAddress ipv6_at(Bytes packet, std::size_t at) {
  std::array<std::uint8_t, 16> bytes{};
  std::ranges::copy(packet.subspan(at, 16), bytes.begin());
  return IpAddress::v6(bytes);
}
std::uint16_t u16_at(Bytes packet, std::size_t at) {
  return ByteReader(packet.subspan(at, 2)).u16();
}

}  // namespace

std::optional<InnerPacket> InnerPacket::parse(Bytes bytes) {
  if (version_of(bytes) == 4 && bytes.size() >= ipv4_header_min) {
    const std::size_t header = (bytes[0] & 0xfU) * std::size_t{4};
    const std::size_t length = u16_at(bytes, 2);
    if (header < ipv4_header_min || length < header || length > bytes.size()) return std::nullopt;
    return InnerPacket{ipv4_at(bytes, 12), ipv4_at(bytes, 16), length, bytes[1]};
  }
  if (version_of(bytes) == 6 && bytes.size() >= ipv6_header) {
    const std::size_t length = ipv6_header + u16_at(bytes, 4);
    if (length > bytes.size()) return std::nullopt;
    return InnerPacket{ipv6_at(bytes, 8), ipv6_at(bytes, 24), length,
                       static_cast<std::uint8_t>(u16_at(bytes, 0) >> 4U)};
  }
  return std::nullopt;
}

void set_ecn(MutableBytes packet, Ecn ecn) {
  const unsigned bits = static_cast<unsigned>(ecn);
  if (version_of(packet) == 6) {
    packet[1] = static_cast<std::uint8_t>((packet[1] & 0xcfU) | bits << 4U);
    return;
  }
  const unsigned old_word = u16_at(packet, 0);
  packet[1] = static_cast<std::uint8_t>((packet[1] & 0xfcU) | bits);
  const unsigned new_word = u16_at(packet, 0);
  // RFC 1624, equation 3, in ones' complement arithmetic.
  unsigned sum =
      (~unsigned{u16_at(packet, ipv4_checksum_at)} & 0xffffU) + (~old_word & 0xffffU) + new_word;
  sum = (sum & 0xffffU) + (sum >> 16U);
  sum = (sum & 0xffffU) + (sum >> 16U);
  ByteWriter(packet.subspan(ipv4_checksum_at, 2)).u16(static_cast<std::uint16_t>(~sum));
}

}  // namespace sidestream::tunnel
