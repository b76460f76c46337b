// The receiving side of the timestamp option: what to echo, and the protection against wrapped
// sequence numbers (RFC 7323 sections 4.3 and 5).
#pragma once

#include <cstdint>

#include "streams/time.h"
#include "tunnel/tcp_limits.h"
#include "tunnel/tcp_seq.h"
#include "tunnel/timestamp_clock.h"

namespace sidestream::tunnel {

class TimestampEcho {
 public:
  void start(Instant now, std::uint32_t value) {
    recent_ = value;
    recent_at_ = now;
  }
  // PAWS: the segment is from an earlier turn of the sequence space. A peer that was silent for
  // so long that its clock may have turned is believed.
  [[nodiscard]] bool is_old(Instant now, std::uint32_t value) const {
    return timestamp_before(value, recent_) && now - recent_at_ <= paws_idle_max;
  }
  // An acceptable segment; only one that the last acknowledgment was waiting for is echoed.
  void on_segment(Instant now, std::uint32_t value, Sequence at, Sequence last_acknowledgment) {
    if (at > last_acknowledgment) return;
    if (timestamp_before(value, recent_) && now - recent_at_ <= paws_idle_max) return;
    start(now, value);
  }
  [[nodiscard]] std::uint32_t recent() const { return recent_; }
  [[nodiscard]] Instant recent_at() const { return recent_at_; }

 private:
  std::uint32_t recent_ = 0;
  Instant recent_at_{};
};

}  // namespace sidestream::tunnel
