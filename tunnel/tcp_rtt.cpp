#include "tunnel/tcp_rtt.h"

#include <algorithm>

namespace sidestream::tunnel {
namespace {

// A path change that makes the round trip longer must be forgotten some day.
constexpr Duration minimum_lifetime = 5min;
constexpr unsigned backoffs_max = 16;

}  // namespace

void RttEstimator::on_sample(Instant now, Duration rtt, std::size_t samples_per_rtt) {
  rtt = std::max(rtt, Duration(1us));
  latest_ = rtt;
  if (!has_sample_ || rtt <= minimum_ || now - minimum_at_ > minimum_lifetime) {
    minimum_ = rtt;
    minimum_at_ = now;
  }
  if (!has_sample_) {
    has_sample_ = true;
    smoothed_ = rtt;
    variation_ = rtt / 2;
  } else {
    const auto share = static_cast<Duration::rep>(std::max<std::size_t>(samples_per_rtt, 1));
    const Duration distance = smoothed_ > rtt ? smoothed_ - rtt : rtt - smoothed_;
    variation_ += (distance - variation_) / (4 * share);
    smoothed_ += (rtt - smoothed_) / (8 * share);
  }
  rto_ =
      std::min(smoothed_ + std::max(4 * variation_, limits_->rto_variance_min), limits_->rto_max);
}

Duration RttEstimator::rto() const {
  Duration timeout = rto_;
  for (unsigned i = 0; i < std::min(backoffs_, backoffs_max) && timeout < limits_->rto_max; ++i)
    timeout *= 2;
  return std::min(timeout, limits_->rto_max);
}

}  // namespace sidestream::tunnel
