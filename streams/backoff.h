// How long to wait before something is tried again.
#pragma once

#include <cstdint>

#include "streams/time.h"

namespace sidestream {

struct BackoffLimits {
  Duration first = 250ms;
  Duration longest = 30s;
};

// The delay before attempt number `attempt` (0 is the first one after a failure): it doubles each
// time up to the longest, and of that a random half: between 1/2 and 1 times, so that those who
// failed together do not come back together. `random` is any 32 random bits.
[[nodiscard]] Duration backoff_delay(unsigned attempt, std::uint32_t random,
                                     const BackoffLimits& limits = {});

// Counts the attempts of one thing that is tried again and again.
class Backoff {
 public:
  explicit Backoff(const BackoffLimits& limits = {}) : limits_(limits) {}

  // The delay before the next attempt, longer each time.
  [[nodiscard]] Duration next(std::uint32_t random) {
    return backoff_delay(failures_++, random, limits_);
  }
  // It worked: the next failure starts from the beginning.
  void reset() { failures_ = 0; }
  [[nodiscard]] unsigned failures() const { return failures_; }

 private:
  BackoffLimits limits_;
  unsigned failures_ = 0;
};

}  // namespace sidestream
