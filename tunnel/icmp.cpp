#include "tunnel/icmp.h"

#include <algorithm>

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
  if (type == v4_echo_reply && code == 0)
    return IcmpMessage{.kind = IcmpMessage::Kind::echo_reply, .echo = body.rest()};
  if (type != v4_unreachable) return std::nullopt;
  const bool too_big = code == v4_fragmentation_needed;
  const std::size_t mtu = body.u32() & 0xffffU;
  return error_about(too_big ? IcmpError::Kind::packet_too_big : IcmpError::Kind::unreachable,
                     too_big ? mtu : 0, body.rest());
}

std::optional<IcmpMessage> parse_v6(std::uint8_t type, std::uint8_t code, ByteReader body) {
  if (type == v6_echo && code == 0)
    return IcmpMessage{.kind = IcmpMessage::Kind::echo_request, .echo = body.rest()};
  if (type == v6_echo_reply && code == 0)
    return IcmpMessage{.kind = IcmpMessage::Kind::echo_reply, .echo = body.rest()};
  if (type != v6_unreachable && type != v6_packet_too_big) return std::nullopt;
  const std::size_t mtu = body.u32();
  return type == v6_packet_too_big ? error_about(IcmpError::Kind::packet_too_big, mtu, body.rest())
                                   : error_about(IcmpError::Kind::unreachable, 0, body.rest());
}

// Writes the headers of a packet whose text, all behind the checksum, stands in it already.
void write_icmp(MutableBytes packet, const IpAddress& source, const IpAddress& destination,
                TypeV4 type_v4, TypeV6 type_v6) {
  const bool v4 = source.is_v4();
  const IpProtocol protocol = v4 ? IpProtocol::icmp_v4 : IpProtocol::icmp_v6;
  const std::size_t ip_bytes = ip_header_bytes(source);
  const MutableBytes icmp = packet.subspan(ip_bytes);
  write_ip_header(packet, source, destination, protocol, icmp.size());
  ByteWriter writer(icmp);
  writer.u8(v4 ? std::uint8_t{type_v4} : std::uint8_t{type_v6});
  writer.u24(0);  // code and checksum
  InternetChecksum sum;
  if (!v4) sum = pseudo_header_checksum(source, destination, protocol, icmp.size());
  sum.add(icmp).store(icmp.subspan(2, 2));
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
  const std::size_t bytes = ip_header_bytes(request.source) + icmp_header_bytes + echo.size();
  if (into.size() < bytes) return 0;
  const MutableBytes packet = into.first(bytes);
  const MutableBytes text = packet.last(echo.size());
  ByteWriter(text).bytes(echo);
  write_icmp(packet, request.destination, request.source, v4_echo_reply, v6_echo_reply);
  return bytes;
}

std::size_t write_icmp_echo_request(MutableBytes into, const IpAddress& source,
                                    const IpAddress& destination, std::uint16_t identifier,
                                    std::uint16_t number) {
  const std::size_t headers = ip_header_bytes(source) + icmp_header_bytes;
  if (into.size() < headers + 2 * sizeof(std::uint16_t)) return 0;
  const MutableBytes text = into.subspan(headers);
  std::ranges::fill(text, std::uint8_t{0});
  ByteWriter writer(text);
  writer.u16(identifier);
  writer.u16(number);
  write_icmp(into, source, destination, v4_echo, v6_echo);
  return into.size();
}

bool is_icmp_echo_request(const IpPacket& packet) {
  if (packet.payload.empty()) return false;
  const auto protocol = IpProtocol{packet.protocol};
  return (protocol == IpProtocol::icmp_v4 && packet.payload[0] == v4_echo) ||
         (protocol == IpProtocol::icmp_v6 && packet.payload[0] == v6_echo);
}

}  // namespace sidestream::tunnel
