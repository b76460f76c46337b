// How large a window to promise: it starts small and grows with what the reader takes per round
// trip ("dynamic right-sizing"), so that a fast stream gets what its path needs and a stream that
// nobody reads costs little.
#pragma once

#include <algorithm>
#include <cstddef>

#include "streams/time.h"
#include "tunnel/tcp_limits.h"

namespace sidestream::tunnel {

class ReceiveWindow {
 public:
  explicit ReceiveWindow(const TcpLimits& limits)
      : bytes_(std::min(limits.receive_window_bytes_initial, limits.receive_window_bytes_max)),
        bytes_max_(limits.receive_window_bytes_max) {}

  // A segment with data shows that its sender's data is this old at least.
  void on_rtt(Duration rtt) {
    rtt = std::max(rtt, Duration(1ms));
    rtt_ = rtt_ == Duration::zero() || rtt < rtt_ ? rtt : rtt_ + (rtt - rtt_) / 8;
  }
  // The reader took `count` bytes, or so many came that it will take as soon as a hole before them
  // is filled; each byte is told once. `scarce`: memory is; then it does not grow.
  void on_progress(Instant now, std::size_t count, bool scarce) {
    progress_ += count;
    if (rtt_ == Duration::zero() || now - round_start_ < rtt_) return;
    // A sender in slow start doubles each round: twice what came, and as much again in reserve. A
    // round in which the reader was idle measures nothing.
    if (!scarce && now - round_start_ < 4 * rtt_)
      bytes_ = std::clamp(4 * progress_, bytes_, std::max(bytes_, bytes_max_));
    progress_ = 0;
    round_start_ = now;
  }

  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  [[nodiscard]] bool has_rtt() const { return rtt_ != Duration::zero(); }

 private:
  std::size_t bytes_;
  std::size_t bytes_max_;
  std::size_t progress_ = 0;
  Duration rtt_{0};
  Instant round_start_{};
};

}  // namespace sidestream::tunnel
