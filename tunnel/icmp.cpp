#include "tunnel/icmp.h"

namespace sidestream::tunnel {
namespace {

constexpr std::size_t icmp_header_bytes = 4;

enum TypeV4 : std::uint8_t { v4_echo_reply = 0, v4_unreachable = 3, v4_echo = 8 };
enum TypeV6 : std::uint8_t {
  v6_unreachable = 1,
  v6_packet_too_big = 2,
  v6_echo = 128,
  v6_echo_reply = 129
};
constexpr std::uint8_t v4_fragmentation_needed = 4;

std::optional<IcmpMessage> error_about(IcmpError::Kind kind, std::size_t mtu, Bytes quoted_bytes) {
  const auto quoted = parse_quoted_ip_packet(quoted_bytes);
  if (!quoted || quoted->protocol != static_cast<std::uint8_t>(IpProtocol::tcp))
    return std::nullopt;
  const auto segment = parse_quoted_tcp_segment(quoted->payload);
  if (!segment) return std::nullopt;
  return IcmpMessage{.kind = IcmpMessage::Kind::error,
                     .echo = {},
                     .error = {.kind = kind,
                               .mtu = mtu,
                               .local = {quoted->source, segment->source_port},
                               .remote = {quoted->destination, segment->destination_port},
                               .sequence = segment->sequence}};
}

std::optional<IcmpMessage> parse_v4(std::uint8_t type, std::uint8_t code, ByteReader body) {
  if (type == v4_echo && code == 0)
    return IcmpMessage{.kind = IcmpMessage::Kind::echo_request, .echo = body.rest()};
  if (type != v4_unreachable) return std::nullopt;
  const bool too_big = code == v4_fragmentation_needed;
  const std::size_t mtu = body.u32() & 0xffffU;
  return error_about(too_big ? IcmpError::Kind::packet_too_big : IcmpError::Kind::unreachable,
                     too_big ? mtu : 0, body.rest());
}

std::optional<IcmpMessage> parse_v6(std::uint8_t type, std::uint8_t code, ByteReader body) {
  if (type == v6_echo && code == 0)
    return IcmpMessage{.kind = IcmpMessage::Kind::echo_request, .echo = body.rest()};
  if (type != v6_unreachable && type != v6_packet_too_big) return std::nullopt;
  const std::size_t mtu = body.u32();
  return type == v6_packet_too_big ? error_about(IcmpError::Kind::packet_too_big, mtu, body.rest())
                                   : error_about(IcmpError::Kind::unreachable, 0, body.rest());
}

}  // namespace

std::optional<IcmpMessage> parse_icmp(const IpPacket& packet) {
  const bool v4 = packet.source.is_v4();
  const IpProtocol protocol = v4 ? IpProtocol::icmp_v4 : IpProtocol::icmp_v6;
  if (packet.protocol != static_cast<std::uint8_t>(protocol)) return std::nullopt;
  InternetChecksum sum;
  if (!v4)
    sum =
        pseudo_header_checksum(packet.source, packet.destination, protocol, packet.payload.size());
  if (!sum.add(packet.payload).good()) return std::nullopt;
  ByteReader reader(packet.payload);
  const std::uint8_t type = reader.u8();
  const std::uint8_t code = reader.u8();
  reader.skip(2);
  if (reader.failed() || reader.size() < icmp_header_bytes) return std::nullopt;
  return v4 ? parse_v4(type, code, reader) : parse_v6(type, code, reader);
}

std::size_t write_icmp_echo_reply(MutableBytes into, const IpPacket& request, Bytes echo) {
  const bool v4 = request.source.is_v4();
  const IpProtocol protocol = v4 ? IpProtocol::icmp_v4 : IpProtocol::icmp_v6;
  const std::size_t ip_bytes = ip_header_bytes(request.source);
  const std::size_t icmp_bytes = icmp_header_bytes + echo.size();
  if (into.size() < ip_bytes + icmp_bytes) return 0;
  write_ip_header(into, request.destination, request.source, protocol, icmp_bytes);
  const MutableBytes icmp = into.subspan(ip_bytes, icmp_bytes);
  ByteWriter writer(icmp);
  writer.u8(v4 ? std::uint8_t{v4_echo_reply} : std::uint8_t{v6_echo_reply});
  writer.u24(0);  // code and checksum
  writer.bytes(echo);
  InternetChecksum sum;
  if (!v4) sum = pseudo_header_checksum(request.destination, request.source, protocol, icmp_bytes);
  sum.add(icmp).store(icmp.subspan(2, 2));
  return ip_bytes + icmp_bytes;
}

}  // namespace sidestream::tunnel
