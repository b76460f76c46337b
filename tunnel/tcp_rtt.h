// Round-trip time and retransmission timeout (RFC 6298, RFC 7323 appendix G).
#pragma once

#include <optional>

#include "streams/time.h"
#include "tunnel/tcp_limits.h"

namespace sidestream::tunnel {

class RttEstimator {
 public:
  // `limits` must outlive the estimator.
  explicit RttEstimator(const TcpLimits& limits) : limits_(&limits), rto_(limits.rto_initial) {}

  // One measurement. `samples_per_rtt` is how many of them one round trip brings, so that many
  // samples are not mistaken for many round trips.
  void on_sample(Instant now, Duration rtt, std::size_t samples_per_rtt);
  // The SYN was lost and no sample was taken (section 5.7).
  void on_handshake_without_sample() {
    if (!has_sample_) rto_ = limits_->rto_initial_after_syn;
  }

  // The timeout to arm now: doubled by every back_off since something new was acknowledged.
  [[nodiscard]] Duration rto() const;
  void back_off() { ++backoffs_; }
  void end_back_off() { backoffs_ = 0; }
  [[nodiscard]] unsigned backoffs() const { return backoffs_; }

  [[nodiscard]] bool has_sample() const { return has_sample_; }
  [[nodiscard]] Duration smoothed() const { return smoothed_; }
  [[nodiscard]] Duration latest() const { return latest_; }
  // The least of the last minutes.
  [[nodiscard]] Duration minimum() const { return minimum_; }

 private:
  const TcpLimits* limits_;
  bool has_sample_ = false;
  unsigned backoffs_ = 0;
  Duration smoothed_{0};
  Duration variation_{0};
  Duration latest_{0};
  Duration minimum_{0};
  Instant minimum_at_{};
  Duration rto_;
};

}  // namespace sidestream::tunnel
