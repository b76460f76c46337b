// What is left of a path's MTU for the packets inside the tunnel.
#pragma once

#include <cstddef>

#include "tunnel/wireguard_limits.h"

namespace sidestream::tunnel {

// Fits into 1500 bytes over IPv6, hence over IPv4 too.
inline constexpr std::size_t default_tunnel_mtu = 1420;
// RFC 8200, section 5: less cannot carry IPv6.
inline constexpr std::size_t tunnel_mtu_min_for_ipv6 = 1280;

enum class OuterFamily { ipv4, ipv6 };

// IP header, UDP header, and a data message around a packet of at least one byte.
constexpr std::size_t outer_overhead(OuterFamily family) {
  const std::size_t ip_header = family == OuterFamily::ipv4 ? 20 : 40;
  const std::size_t udp_header = 8;
  return ip_header + udp_header + keepalive_bytes;
}

constexpr std::size_t tunnel_mtu_for(std::size_t path_mtu, OuterFamily family) {
  return path_mtu > outer_overhead(family) ? path_mtu - outer_overhead(family) : 0;
}

}  // namespace sidestream::tunnel
