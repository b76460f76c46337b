// CUBIC (RFC 9438) with HyStart++ (RFC 9406) and proportional rate reduction.
#pragma once

#include <limits>

#include "tunnel/congestion_control.h"
#include "tunnel/hystart.h"
#include "tunnel/rate_reduction.h"

namespace sidestream::tunnel {

class Cubic final : public CongestionControl {
 public:
  explicit Cubic(std::size_t mss);

  void on_ack(const AckSample& sample) override;
  void on_loss(Instant now, std::size_t in_flight_bytes) override;
  void on_recovered(Instant now) override;
  void on_timeout(Instant now, std::size_t in_flight_bytes) override;
  void on_spurious_loss(Instant now) override;
  void on_sent(std::size_t bytes) override;
  void on_idle(Instant now, Duration idle, Duration rto) override;
  void set_mss(std::size_t mss) override;
  [[nodiscard]] std::size_t window() const override;
  [[nodiscard]] std::uint64_t pacing_rate() const override;

 private:
  [[nodiscard]] bool in_slow_start() const { return window_ < threshold_; }
  void slow_start(const AckSample& sample);
  void avoid_congestion(const AckSample& sample);
  void begin_epoch(Instant now);
  // Multiplicative decrease; what on_spurious_loss brings back is kept first.
  void decrease(std::size_t in_flight_bytes);

  // The names of RFC 9438 section 4.1, in bytes: cwnd, ssthresh, W_max, cwnd_prior, W_est.
  double mss_;
  double window_;
  double threshold_ = std::numeric_limits<double>::infinity();
  double window_max_ = 0;
  double window_prior_ = 0;
  double window_estimate_ = 0;
  double k_ = 0;  // seconds
  Instant epoch_start_{};
  Instant limited_until_{};  // the last acknowledgment for which the window was the limit
  bool epoch_running_ = false;
  bool recovering_ = false;
  Duration smoothed_rtt_{0};
  HyStart hystart_;
  RateReduction reduction_;
  std::size_t reduced_window_ = 0;  // while recovering_

  struct Undo {
    double window = 0;
    double threshold = 0;
    double window_max = 0;
    double window_prior = 0;
  };
  Undo undo_;
};

std::unique_ptr<CongestionControl> make_cubic(std::size_t mss);

}  // namespace sidestream::tunnel
