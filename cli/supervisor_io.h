// What a supervisor such as systemd is told (sd_notify(3)): datagrams to the socket in
// NOTIFY_SOCKET.
#pragma once

#include <string>

#include "cli/handover_io.h"
#include "streams/descriptor_io.h"
#include "streams/timer_io.h"

namespace sidestream::cli {

// The one that has started this process. Without NOTIFY_SOCKET nothing is done; what cannot be told
// is left out.
class Supervisor {
 public:
  Supervisor();

  // That this process is the service's main one, and ready.
  void tell_ready() const;
  // That its loop goes round: often enough for WATCHDOG_USEC, and every second without, since a
  // process that took over is not told. Not any more once it has handed over: then the next one is
  // watched. Until it is cancelled.
  Task<> tell_alive(Timers& timers, const Handover& handover) const;

 private:
  void tell(const std::string& message, int flags) const;

  std::string path_;
  UniqueFd fd_;  // opened before the sandbox is entered
};

}  // namespace sidestream::cli
