// When the next packet may leave. Packets go in bursts of about a millisecond, so that they can be
// batched and timers need not be fine; a caller that comes late may catch up a little. The first
// packets after silence go at once.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "streams/time.h"

namespace sidestream::tunnel {

class Pacer {
 public:
  [[nodiscard]] bool may_send(Instant now) const { return !waiting_ || now >= next_; }
  // When may_send becomes true; only when it is not.
  [[nodiscard]] Instant next() const { return next_; }

  // Nothing is in flight: so many bytes need not wait.
  void on_idle(std::size_t bytes) {
    free_bytes_ = bytes;
    waiting_ = false;
  }
  // `rate` in bytes per second; 0: not paced.
  void on_sent(Instant now, std::size_t bytes, std::uint64_t rate) {
    const std::size_t free = std::min(bytes, free_bytes_);
    free_bytes_ -= free;
    bytes -= free;
    next_ = std::max(next_, now - catch_up);
    waiting_ = false;
    if (rate == 0 || bytes == 0) return;
    next_ += Duration(static_cast<Duration::rep>(bytes) * 1'000'000'000 /
                      static_cast<Duration::rep>(std::min(rate, rate_max)));
    waiting_ = next_ > now + burst;
  }

 private:
  static constexpr Duration burst = 1ms;
  static constexpr Duration catch_up = 4ms;
  static constexpr std::uint64_t rate_max = 100'000'000'000;

  Instant next_{};
  std::size_t free_bytes_ = 0;
  bool waiting_ = false;
};

}  // namespace sidestream::tunnel
