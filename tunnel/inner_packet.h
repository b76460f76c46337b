// What the tunnel has to know of the IP packets in it, and their ECN field (RFC 6040).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "streams/bytes.h"
#include "streams/ip_address.h"

namespace sidestream::tunnel {

// The header fields of an IPv4 (RFC 791) or IPv6 (RFC 8200) packet. What follows the headers is
// not looked at.
struct InnerPacket {
  IpAddress source;
  IpAddress destination;
  std::size_t length;          // of the whole packet as its header says; padding may follow
  std::uint8_t traffic_class;  // DSCP and ECN

  // nullopt when it is neither, or is longer than `bytes`.
  static std::optional<InnerPacket> parse(Bytes bytes);
};

// RFC 3168, section 5: the two lowest bits of the traffic class.
enum class Ecn : std::uint8_t { not_ect = 0, ect1 = 1, ect0 = 2, ce = 3 };

constexpr Ecn ecn_of(std::uint8_t traffic_class) {
  return static_cast<Ecn>(traffic_class & 3U);
}
// What the outer header gets: CE is not copied outward.
constexpr Ecn outer_ecn(Ecn inner) {
  return inner == Ecn::ce ? Ecn::ect0 : inner;
}
// What the inner header gets on arrival. Congestion that is marked on a packet whose sender does
// not know ECN is ignored, where RFC 6040 would drop the packet: so does Linux.
constexpr Ecn inner_ecn(Ecn inner, Ecn outer) {
  if (inner == Ecn::not_ect || inner == Ecn::ce) return inner;
  if (outer == Ecn::ce) return Ecn::ce;
  if (inner == Ecn::ect0 && outer == Ecn::ect1) return Ecn::ect1;
  return inner;
}
// Writes the ECN field, and keeps the checksum of an IPv4 header right. `packet` parses.
void set_ecn(MutableBytes packet, Ecn ecn);

}  // namespace sidestream::tunnel
