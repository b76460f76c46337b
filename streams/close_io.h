// Ending a stream in order within a time.
#pragma once

#include "streams/timer_io.h"

namespace sidestream {

struct CloseLimits {
  Duration timeout = 2s;
  std::size_t bytes = 256 * 1024;  // that may still come in and are dropped
};

// Ends our direction, then reads and drops what still comes until the peer has ended its own, so
// that our last words (a TLS alert, an HTTP answer) arrive: closing a socket that has unread bytes
// resets the connection, and a reset may destroy them at the peer. Aborts the stream at a limit, on
// an error and when it is cancelled. Only a cancellation is thrown.
Task<> close_in_order(Timers& timers, Stream& stream, CloseLimits limits = {});

}  // namespace sidestream
