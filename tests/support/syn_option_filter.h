// A middlebox, or an old host: TCP options that it does not like never get through in a SYN.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "streams/bytes.h"
#include "tunnel/ip_packet.h"
#include "tunnel/tcp_limits.h"

namespace sidestream::tunnel {

// Overwrites the options of these kinds (3: window scale, 4: SACK, 8: timestamps) with padding when
// `packet` is a SYN, and puts the checksum right.
inline void strip_syn_options(MutableBytes packet, const std::vector<std::uint8_t>& kinds) {
  const auto ip = parse_ip_packet(packet);
  if (kinds.empty() || !ip || ip->protocol != static_cast<std::uint8_t>(IpProtocol::tcp)) return;
  const MutableBytes tcp = packet.last(ip->payload.size());
  constexpr std::uint8_t syn = 2;
  if ((tcp[13] & syn) == 0) return;
  const std::size_t header_bytes = std::size_t{tcp[12]} / 16 * 4;
  for (std::size_t at = tcp_header_bytes; at < header_bytes && tcp[at] != 0;) {
    const std::size_t length = tcp[at] == 1 ? 1 : tcp[at + 1];
    if (std::ranges::find(kinds, tcp[at]) != kinds.end())
      std::ranges::fill(tcp.subspan(at, length), std::uint8_t{1});
    at += length;
  }
  tcp[16] = tcp[17] = 0;
  pseudo_header_checksum(ip->source, ip->destination, IpProtocol::tcp, tcp.size())
      .add(tcp)
      .store(tcp.subspan(16, 2));
}

}  // namespace sidestream::tunnel
