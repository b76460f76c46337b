// Sleeping on a clock that is an argument: the program uses the monotonic clock, the simulation a
// virtual one. Everything in the shell that waits for time does it here and nowhere else.
#pragma once

#include "streams/stream_io.h"
#include "streams/time.h"

namespace sidestream {

// A queue of sleepers. One per io_context, owned by its Network; outlives every sleeper.
class Timers {
 public:
  Timers() = default;
  Timers(const Timers&) = delete;
  Timers& operator=(const Timers&) = delete;
  virtual ~Timers() = default;

  [[nodiscard]] virtual Instant now() const = 0;
  [[nodiscard]] virtual WallTime wall_now() const = 0;
  // How long the machine has been suspended in all: time that now() does not count.
  [[nodiscard]] virtual Duration suspended() const { return {}; }
  // How many sleepers and alarms there are.
  [[nodiscard]] virtual std::size_t size() const = 0;

  // Returns at `deadline` or as soon after it as the thread is free. Terminal, partial and total
  // cancellation end it with operation_aborted.
  virtual Task<> sleep_until(Instant deadline) = 0;
  Task<> sleep_for(Duration time) { return sleep_until(now() + time); }
};

}  // namespace sidestream
