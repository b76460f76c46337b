// The timestamp option's clock (RFC 7323 section 5.4): milliseconds with an offset of its own for
// each connection, so that one connection's clock does not give away another's.
#pragma once

#include <cstdint>

#include "streams/time.h"

namespace sidestream::tunnel {

class TimestampClock {
 public:
  TimestampClock() = default;
  explicit TimestampClock(std::uint32_t offset) : offset_(offset) {}

  [[nodiscard]] std::uint32_t at(Instant now) const {
    const auto ticks =
        std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch());
    return static_cast<std::uint32_t>(ticks.count()) + offset_;
  }
  // How long ago it was when the clock showed `value`; may be negative.
  [[nodiscard]] Duration age(Instant now, std::uint32_t value) const {
    return std::chrono::milliseconds(static_cast<std::int32_t>(at(now) - value));
  }

 private:
  std::uint32_t offset_ = 0;
};

// Whether timestamp `a` is before `b` (RFC 7323 section 5.2).
constexpr bool timestamp_before(std::uint32_t a, std::uint32_t b) {
  return static_cast<std::int32_t>(a - b) < 0;
}

}  // namespace sidestream::tunnel
