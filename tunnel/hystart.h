// HyStart++ (RFC 9406): leaves slow start when the round trip grows, before the queue overflows.
#pragma once

#include <cstddef>
#include <optional>

#include "streams/time.h"

namespace sidestream::tunnel {

class HyStart {
 public:
  enum class Phase {
    slow_start,
    conservative,  // CSS: growing at a quarter of the speed, to see whether it was a mistake
    done,          // go to congestion avoidance now
  };

  // One acknowledgment in slow start.
  Phase on_ack(bool round_started, std::optional<Duration> rtt);
  [[nodiscard]] Phase phase() const { return phase_; }

 private:
  void start_round();

  Phase phase_ = Phase::slow_start;
  std::optional<Duration> last_round_minimum_;
  std::optional<Duration> round_minimum_;
  Duration conservative_minimum_{0};  // RFC 9406 cssBaselineMinRtt
  unsigned samples_ = 0;
  unsigned conservative_rounds_ = 0;
};

}  // namespace sidestream::tunnel
