// Limits how often something happens: `rate` times a second in the long run, `burst` times at once.
#pragma once

#include <algorithm>
#include <chrono>

#include "streams/time.h"

namespace sidestream {

class TokenBucket {
 public:
  // Both at least 1. The bucket is full at first.
  TokenBucket(double rate, double burst) : rate_(rate), burst_(burst), tokens_(burst) {}

  // Takes one token; false when there is none. `now` never goes back.
  bool take(Instant now) {
    fill(now);
    if (tokens_ < 1) return false;
    tokens_ -= 1;
    return true;
  }
  // How long until take() succeeds again.
  [[nodiscard]] Duration wait(Instant now) {
    fill(now);
    if (tokens_ >= 1) return Duration::zero();
    return std::chrono::ceil<std::chrono::milliseconds>(
        std::chrono::duration<double>((1 - tokens_) / rate_));
  }

 private:
  void fill(Instant now) {
    if (now > filled_) {
      const std::chrono::duration<double> passed = now - filled_;
      tokens_ = std::min(burst_, tokens_ + passed.count() * rate_);
    }
    filled_ = std::max(filled_, now);
  }

  double rate_;
  double burst_;
  double tokens_;
  Instant filled_{};
};

}  // namespace sidestream
