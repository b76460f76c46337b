// Where a kernel socket stands, when it does not stand anywhere: inside a tunnel whose device is
// the kernel's, or that another program runs.
#pragma once

#include <string>

#include "streams/ip_address.h"
#include "streams/time.h"

namespace sidestream {

struct SocketPlace {
  IpAddress address;   // the socket's own; who listens and who connects does so from here
  std::string device;  // nothing enters or leaves by another one; empty: any
  // As the kernel calls it. One that it does not have, or does not let us have, is left out; empty:
  // the system's.
  std::string congestion_control;
  // So long a stream waits for a path that carries nothing, whether it has something to say or not.
  Duration patience{0};  // 0: as every other stream
};

}  // namespace sidestream
