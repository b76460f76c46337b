// Proportional Rate Reduction (RFC 6937 and its revision): spreads the reduction of the window
// over the acknowledgments of the recovery, so that sending neither stops nor bursts.
#pragma once

#include <algorithm>
#include <cstddef>

namespace sidestream::tunnel {

class RateReduction {
 public:
  void start(std::size_t in_flight_bytes) {
    flight_at_start_ = std::max<std::size_t>(in_flight_bytes, 1);
    delivered_ = sent_ = 0;
  }
  void on_sent(std::size_t bytes) { sent_ += bytes; }

  // The window after one acknowledgment. `progress`: it was cumulative and brought no new loss.
  std::size_t window(std::size_t delivered_bytes, std::size_t in_flight_bytes, bool progress,
                     std::size_t slow_start_threshold, std::size_t mss) {
    delivered_ += delivered_bytes;
    std::size_t may_send = 0;
    if (in_flight_bytes > slow_start_threshold) {
      const std::size_t share =
          (delivered_ * slow_start_threshold + flight_at_start_ - 1) / flight_at_start_;
      may_send = share > sent_ ? share - sent_ : 0;
    } else {
      may_send = std::max(delivered_ > sent_ ? delivered_ - sent_ : 0, delivered_bytes);
      if (progress) may_send += mss;
      may_send = std::min(may_send, slow_start_threshold - in_flight_bytes);
    }
    // The first retransmission always goes.
    if (sent_ == 0) may_send = std::max(may_send, mss);
    return in_flight_bytes + may_send;
  }

 private:
  std::size_t flight_at_start_ = 1;
  std::size_t delivered_ = 0;
  std::size_t sent_ = 0;
};

}  // namespace sidestream::tunnel
