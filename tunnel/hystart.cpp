#include "tunnel/hystart.h"

#include <algorithm>

namespace sidestream::tunnel {
namespace {

// Section 4.3.
constexpr Duration rtt_threshold_min = 4ms;
constexpr Duration rtt_threshold_max = 16ms;
constexpr int rtt_divisor = 8;
constexpr unsigned samples_min = 8;
constexpr unsigned conservative_rounds_max = 5;

}  // namespace

void HyStart::start_round() {
  last_round_minimum_ = round_minimum_;
  round_minimum_.reset();
  samples_ = 0;
  if (phase_ == Phase::conservative && ++conservative_rounds_ >= conservative_rounds_max)
    phase_ = Phase::done;
}

HyStart::Phase HyStart::on_ack(bool round_started, std::optional<Duration> rtt) {
  if (phase_ == Phase::done) return phase_;
  if (round_started) start_round();
  if (!rtt) return phase_;
  round_minimum_ = std::min(round_minimum_.value_or(*rtt), *rtt);
  if (++samples_ < samples_min) return phase_;
  if (phase_ == Phase::slow_start && last_round_minimum_) {
    const Duration threshold =
        std::clamp(*last_round_minimum_ / rtt_divisor, rtt_threshold_min, rtt_threshold_max);
    if (*round_minimum_ >= *last_round_minimum_ + threshold) {
      conservative_minimum_ = *round_minimum_;
      conservative_rounds_ = 0;
      phase_ = Phase::conservative;
    }
  } else if (phase_ == Phase::conservative && *round_minimum_ < conservative_minimum_) {
    phase_ = Phase::slow_start;
  }
  return phase_;
}

}  // namespace sidestream::tunnel
