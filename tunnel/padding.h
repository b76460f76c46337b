// How many zero bytes are added to an inner packet before it is sealed (section 5.4.6).
#pragma once

#include <algorithm>
#include <cstddef>

#include "tunnel/wireguard_limits.h"

namespace sidestream::tunnel {

// Up to a multiple of 16, but not beyond the MTU. Of a packet that is longer than the MTU (it will
// be cut into pieces of it) the last piece counts. An MTU of 0 is no limit.
constexpr std::size_t padding_of(std::size_t packet_bytes, std::size_t mtu) {
  const std::size_t last = mtu > 0 && packet_bytes > mtu ? packet_bytes % mtu : packet_bytes;
  const std::size_t padded = (last + padding_multiple - 1) / padding_multiple * padding_multiple;
  return (mtu > 0 ? std::min(padded, mtu) : padded) - last;
}

}  // namespace sidestream::tunnel
