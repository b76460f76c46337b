// How many refused streams are told in the log: a port scan or a flood must not fill a disk.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>

#include "streams/time.h"

namespace sidestream::edge {

struct RefusalAllowanceLimits {
  std::uint64_t burst = 60;
  Duration interval = 1s;  // one more in each
};

class RefusalAllowance {
 public:
  explicit RefusalAllowance(const RefusalAllowanceLimits& limits = {})
      : limits_(limits), left_(limits.burst) {}

  // Whether the refusal that happens now is told; if so, how many were not since the last one.
  std::optional<std::uint64_t> take(Instant now) {
    if (!last_refill_) last_refill_ = now;
    const auto intervals = static_cast<std::uint64_t>((now - *last_refill_) / limits_.interval);
    left_ = std::min(limits_.burst, left_ + std::min(intervals, limits_.burst));
    *last_refill_ += limits_.interval * static_cast<std::int64_t>(intervals);
    if (left_ == 0) {
      ++untold_;
      return std::nullopt;
    }
    --left_;
    return std::exchange(untold_, 0);
  }

 private:
  RefusalAllowanceLimits limits_;
  std::uint64_t left_;
  std::uint64_t untold_ = 0;
  std::optional<Instant> last_refill_;
};

}  // namespace sidestream::edge
