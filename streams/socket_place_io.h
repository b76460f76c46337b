// Puts a kernel socket at its place.
#pragma once

#include "streams/socket_place.h"

namespace sidestream {

// Everything but the address, which bind() gives. For a TCP socket that is neither bound nor
// connected. Throws system_error: no_such_device, or operation_not_permitted (a kernel before 5.7
// lets nobody without CAP_NET_RAW choose a device).
void place_socket(int fd, const SocketPlace& place);

}  // namespace sidestream
