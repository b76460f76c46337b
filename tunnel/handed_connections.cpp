#include "tunnel/handed_connections.h"

#include "tunnel/inner_packet.h"
#include "tunnel/ip_packet.h"
#include "tunnel/tcp_limits.h"

namespace sidestream::tunnel {

void HandedConnections::remove(const TcpEnds& ends, PredecessorId owner) {
  const auto found = owners_.find(ends);
  if (found != owners_.end() && found->second == owner) owners_.erase(found);
}

void HandedConnections::remove_all(PredecessorId owner) {
  std::erase_if(owners_, [owner](const auto& entry) { return entry.second == owner; });
}

std::optional<PredecessorId> HandedConnections::owner_of(const TcpEnds& ends) const {
  const auto found = owners_.find(ends);
  if (found == owners_.end()) return std::nullopt;
  return found->second;
}

std::vector<TcpEnds> HandedConnections::of(PredecessorId owner) const {
  std::vector<TcpEnds> connections;
  for (const auto& [ends, whose] : owners_)
    if (whose == owner) connections.push_back(ends);
  return connections;
}

std::optional<PassingSegment> PassingSegment::parse(Bytes packet) {
  constexpr std::size_t protocol_v4_at = 9;
  constexpr std::size_t protocol_v6_at = 6;
  constexpr std::size_t flags_at = 13;
  constexpr std::uint8_t syn_flag = 0x02;
  const auto inner = InnerPacket::parse(packet);
  if (!inner) return std::nullopt;
  const bool v4 = inner->source.is_v4();
  const std::size_t header = v4 ? (packet[0] & 0xfU) * std::size_t{4} : ipv6_header_bytes;
  if (packet[v4 ? protocol_v4_at : protocol_v6_at] != static_cast<std::uint8_t>(IpProtocol::tcp) ||
      inner->length < header + tcp_header_bytes)
    return std::nullopt;
  const Bytes segment = packet.subspan(header);
  ByteReader reader(segment);
  const std::uint16_t source_port = reader.u16();
  const std::uint16_t destination_port = reader.u16();
  return PassingSegment{.ends = {.local = {inner->destination, destination_port},
                                 .remote = {inner->source, source_port}},
                        .syn = (segment[flags_at] & syn_flag) != 0};
}

}  // namespace sidestream::tunnel
