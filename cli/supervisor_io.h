// What a supervisor such as systemd is told (sd_notify(3)): a datagram to the socket in
// NOTIFY_SOCKET.
#pragma once

namespace sidestream::cli {

// That this process is the service's main one, and ready. Without NOTIFY_SOCKET nothing is done;
// what cannot be told is left out.
void tell_supervisor_ready();

}  // namespace sidestream::cli
