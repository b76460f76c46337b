// The two ends of a TCP connection, by which it is found.
#pragma once

#include "streams/ip_address.h"

namespace sidestream::tunnel {

struct TcpEnds {
  SocketAddress local;
  SocketAddress remote;
  bool operator==(const TcpEnds&) const = default;
};

}  // namespace sidestream::tunnel
