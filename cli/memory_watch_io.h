// How much memory this process uses of what it may, and keeping it below that.
#pragma once

#include <cstddef>
#include <functional>
#include <string>

#include "cli/memory_guard.h"
#include "streams/log_io.h"
#include "streams/timer_io.h"

namespace sidestream::cli {

class MemoryMeter {
 public:
  // The tightest of the limits of our control group (version 1 or 2), of those above it, and of
  // `wanted_bytes` (`limits.memory`; 0: none).
  explicit MemoryMeter(std::size_t wanted_bytes = 0);

  [[nodiscard]] std::size_t limit_bytes() const { return limit_bytes_; }  // 0: none
  // What counts against it: of a control group all that the kernel cannot simply drop, sockets
  // included where it counts them; else what is resident.
  [[nodiscard]] std::size_t used_bytes() const;

 private:
  void look_at(const std::string& root, const std::string& path, bool version_1);

  std::size_t limit_bytes_ = 0;
  std::string group_;  // the folder of the group whose limit counts; empty: none
  bool version_1_ = false;
};

// Until it is cancelled. The meter has a limit, and outlives it. `obey` does what it is told and
// returns how many streams it ended.
Task<> guard_memory(Timers& timers, const MemoryMeter& meter,
                    std::function<std::size_t(const MemoryOrders&)> obey, const Log& log);

}  // namespace sidestream::cli
