// The TAI64N timestamps of initiations (section 5.1): they only ever grow, also when the wall clock
// goes back or the program restarts, because a peer refuses every initiation that is not newer
// than the newest it has seen.
#pragma once

#include <cstdint>
#include <optional>

#include "streams/time.h"
#include "tunnel/wireguard_keys.h"

namespace sidestream::tunnel {

// Nanoseconds are rounded down to a multiple of this (16.8 ms), so that a timestamp tells nothing
// useful about the load of the machine. It is less than the interval of two initiations.
inline constexpr std::uint32_t timestamp_quantum = 1U << 24U;

// TAI64N without leap seconds: 2^62 + 10 s is 1970.
Timestamp timestamp_of(WallTime wall);
// The smallest one that is greater.
Timestamp next_timestamp(const Timestamp& after);
// `time` in whole seconds.
Timestamp later_timestamp(const Timestamp& than, std::chrono::seconds time);

class Tai64nClock {
 public:
  // From now on `wall` is the time at `now`. Before the first call there is no clock: timestamps
  // count on from the last one.
  void set_wall_clock(Instant now, WallTime wall);
  // Never goes back.
  void set_last(const Timestamp& last);
  [[nodiscard]] const Timestamp& last() const { return last_; }

  // The greater one of the clock and the successor of the last.
  Timestamp next(Instant now);

 private:
  struct Anchor {
    Instant instant;
    WallTime wall;
  };
  std::optional<Anchor> anchor_;
  Timestamp last_;
};

}  // namespace sidestream::tunnel
