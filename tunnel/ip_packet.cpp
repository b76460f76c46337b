#include "tunnel/ip_packet.h"

#include <algorithm>

#include "tunnel/tcp_limits.h"

namespace sidestream::tunnel {
namespace {

constexpr std::uint8_t hop_limit = 64;

IpAddress read_address(ByteReader& reader, bool v6) {
  if (v6) {
    std::array<std::uint8_t, 16> bytes{};
    std::ranges::copy(reader.take(16), bytes.begin());
    return IpAddress::v6(bytes);
  }
  return IpAddress::v4(reader.u32());
}

std::expected<IpPacket, IpPacketError> parse_v4(Bytes packet, bool quoted) {
  if (packet.size() < ipv4_header_bytes) return std::unexpected(IpPacketError::truncated);
  ByteReader reader(packet);
  IpPacket parsed;
  if (reader.u8() != 0x45) return std::unexpected(IpPacketError::header);
  parsed.traffic_class = reader.u8();
  const std::size_t total_bytes = reader.u16();
  reader.skip(2);
  const std::uint16_t fragment = reader.u16();
  reader.skip(1);
  parsed.protocol = reader.u8();
  reader.skip(2);
  parsed.source = read_address(reader, false);
  parsed.destination = read_address(reader, false);
  if (total_bytes < ipv4_header_bytes) return std::unexpected(IpPacketError::header);
  if (!quoted) {
    if (total_bytes > packet.size()) return std::unexpected(IpPacketError::truncated);
    if (!InternetChecksum().add(packet.first(ipv4_header_bytes)).good())
      return std::unexpected(IpPacketError::checksum);
  }
  // More-fragments, or an offset.
  if ((fragment & 0x3fffU) != 0) return std::unexpected(IpPacketError::fragment);
  const std::size_t end = std::min(total_bytes, packet.size());
  parsed.payload = packet.subspan(ipv4_header_bytes, end - ipv4_header_bytes);
  return parsed;
}

std::expected<IpPacket, IpPacketError> parse_v6(Bytes packet, bool quoted) {
  if (packet.size() < ipv6_header_bytes) return std::unexpected(IpPacketError::truncated);
  ByteReader reader(packet);
  IpPacket parsed;
  parsed.traffic_class = static_cast<std::uint8_t>(reader.u32() >> 20U);
  const std::size_t payload_bytes = reader.u16();
  parsed.protocol = reader.u8();
  reader.skip(1);
  parsed.source = read_address(reader, true);
  parsed.destination = read_address(reader, true);
  if (!quoted && payload_bytes > reader.size()) return std::unexpected(IpPacketError::truncated);
  parsed.payload = reader.rest().first(std::min(payload_bytes, reader.size()));
  return parsed;
}

std::expected<IpPacket, IpPacketError> parse(Bytes packet, bool quoted) {
  if (packet.empty()) return std::unexpected(IpPacketError::truncated);
  switch (packet[0] >> 4U) {
    case 4:
      return parse_v4(packet, quoted);
    case 6:
      return parse_v6(packet, quoted);
    default:
      return std::unexpected(IpPacketError::version);
  }
}

}  // namespace

std::expected<IpPacket, IpPacketError> parse_ip_packet(Bytes packet) {
  auto parsed = parse(packet, false);
  if (!parsed) return parsed;
  // RFC 1122 section 3.2.1.3, RFC 4291 section 2.7: nobody to answer. 255.255.255.255 is above the
  // IPv4 multicast block, and so is everything else in 240/4, which is not in use.
  const IpAddress& source = parsed->source;
  const bool reserved = source.is_v4() && source.bytes()[0] >= 224;
  if (source.is_unspecified() || source.is_multicast() || source.is_loopback() || reserved)
    return std::unexpected(IpPacketError::address);
  return parsed;
}

std::expected<IpPacket, IpPacketError> parse_quoted_ip_packet(Bytes packet) {
  return parse(packet, true);
}

std::size_t ip_header_bytes(const IpAddress& address) {
  return address.is_v4() ? ipv4_header_bytes : ipv6_header_bytes;
}

void write_ip_header(MutableBytes into, const IpAddress& source, const IpAddress& destination,
                     IpProtocol protocol, std::size_t payload_bytes) {
  ByteWriter writer(into);
  if (source.is_v4()) {
    writer.u16(0x4500);
    writer.u16(static_cast<std::uint16_t>(ipv4_header_bytes + payload_bytes));
    writer.u16(0);  // identification: of no use with don't-fragment (RFC 6864)
    writer.u16(0x4000);
    writer.u8(hop_limit);
    writer.u8(static_cast<std::uint8_t>(protocol));
    writer.u16(0);
    writer.bytes(source.bytes());
    writer.bytes(destination.bytes());
    InternetChecksum().add(writer.written()).store(into.subspan(10, 2));
  } else {
    writer.u32(0x60000000);
    writer.u16(static_cast<std::uint16_t>(payload_bytes));
    writer.u8(static_cast<std::uint8_t>(protocol));
    writer.u8(hop_limit);
    writer.bytes(source.bytes());
    writer.bytes(destination.bytes());
  }
}

InternetChecksum pseudo_header_checksum(const IpAddress& source, const IpAddress& destination,
                                        IpProtocol protocol, std::size_t payload_bytes) {
  InternetChecksum sum;
  sum.add(source.bytes()).add(destination.bytes());
  sum.add_u16(static_cast<std::uint16_t>(protocol));
  sum.add_u32(static_cast<std::uint32_t>(payload_bytes));
  return sum;
}

}  // namespace sidestream::tunnel
