#include "tunnel/cubic.h"

#include <algorithm>
#include <cmath>

#include "tunnel/tcp_limits.h"

namespace sidestream::tunnel {
namespace {

// RFC 9438 section 4.
constexpr double beta = 0.7;
constexpr double c = 0.4;  // segments per cubic second
constexpr double alpha = 3.0 * (1.0 - beta) / (1.0 + beta);
constexpr double window_segments_min = 2;
// RFC 9406 section 4.3: CSS_GROWTH_DIVISOR.
constexpr double conservative_divisor = 4;
// Ours: how much faster than window per round trip packets leave, so that pacing is never what
// keeps the window from being used.
constexpr double slow_start_gain = 2.0;
constexpr double avoidance_gain = 1.25;

// Not std::cbrt, whose last bit differs between C libraries: the same history gives the same window
// everywhere.
double cube_root(double value) {
  if (value <= 0) return 0;
  double root = value > 1 ? value : 1;
  for (int i = 0; i < 64; ++i) {
    const double next = (2 * root + value / (root * root)) / 3;
    if (next >= root) break;
    root = next;
  }
  return root;
}

double seconds(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

}  // namespace

std::unique_ptr<CongestionControl> make_cubic(std::size_t mss) {
  return std::make_unique<Cubic>(mss);
}

Cubic::Cubic(std::size_t mss)
    : mss_(static_cast<double>(mss)), window_(mss_ * initial_window_segments) {}

void Cubic::set_mss(std::size_t mss) {
  mss_ = static_cast<double>(mss);
  window_ = std::max(window_, window_segments_min * mss_);
}

std::size_t Cubic::window() const {
  return recovering_ ? reduced_window_ : static_cast<std::size_t>(window_);
}

std::uint64_t Cubic::pacing_rate() const {
  if (smoothed_rtt_ <= Duration::zero()) return 0;
  // In recovery the reduction decides how much goes, acknowledgment by acknowledgment; its window
  // says nothing about the rate. Close to the threshold slow start would overshoot by its own gain.
  const double gain = window_ < threshold_ / 2 ? slow_start_gain : avoidance_gain;
  return static_cast<std::uint64_t>(gain * window_ / seconds(smoothed_rtt_));
}

void Cubic::on_sent(std::size_t bytes) {
  if (recovering_) reduction_.on_sent(bytes);
}

void Cubic::on_ack(const AckSample& sample) {
  smoothed_rtt_ = sample.smoothed_rtt;
  if (recovering_) {
    const bool progress = sample.acknowledged_bytes > 0 && sample.lost_bytes == 0;
    reduced_window_ =
        reduction_.window(sample.delivered_bytes, sample.in_flight_bytes, progress,
                          static_cast<std::size_t>(threshold_), static_cast<std::size_t>(mss_));
    return;
  }
  if (in_slow_start()) {
    slow_start(sample);
  } else {
    avoid_congestion(sample);
  }
}

void Cubic::slow_start(const AckSample& sample) {
  if (!sample.window_limited) return;
  double growth = static_cast<double>(sample.acknowledged_bytes);
  if (std::isinf(threshold_)) {
    const HyStart::Phase phase = hystart_.on_ack(sample.round_started, sample.rtt);
    if (phase == HyStart::Phase::conservative) growth /= conservative_divisor;
    if (phase == HyStart::Phase::done) {
      threshold_ = window_;
      window_max_ = window_;
    }
  }
  window_ += growth;
}

void Cubic::begin_epoch(Instant now) {
  epoch_running_ = true;
  epoch_start_ = now;
  limited_until_ = now;
  window_estimate_ = window_;
  if (window_max_ < window_) window_max_ = window_;
  k_ = cube_root((window_max_ - window_) / mss_ / c);
}

void Cubic::avoid_congestion(const AckSample& sample) {
  if (sample.acknowledged_bytes == 0) return;
  if (!epoch_running_) begin_epoch(sample.now);
  if (!sample.window_limited) return;
  // Time in which the application was the limit is no time (section 4.2).
  if (const Duration pause = sample.now - limited_until_; pause > 2 * sample.smoothed_rtt)
    epoch_start_ += pause;
  limited_until_ = sample.now;

  const double acknowledged = static_cast<double>(sample.acknowledged_bytes);
  const double t = seconds(sample.now - epoch_start_);
  const double ahead = t + seconds(sample.smoothed_rtt) - k_;
  const double cubic = c * ahead * ahead * ahead * mss_ + window_max_;
  const double target = std::clamp(cubic, window_, 1.5 * window_);
  const double reno_alpha = window_estimate_ >= window_prior_ ? 1.0 : alpha;
  window_estimate_ += reno_alpha * acknowledged / window_ * mss_;
  const double distance = t - k_;
  if (c * distance * distance * distance * mss_ + window_max_ < window_estimate_) {
    window_ = std::max(window_, window_estimate_);
  } else {
    window_ += (target - window_) / window_ * acknowledged;
  }
}

void Cubic::decrease(std::size_t in_flight_bytes) {
  undo_ = {window_, threshold_, window_max_, window_prior_};
  // A window that was not in use says nothing about the path.
  const double used = std::max(std::min(window_, static_cast<double>(in_flight_bytes) + 3 * mss_),
                               window_segments_min * mss_);
  window_prior_ = used;
  window_max_ = used < window_max_ ? used * (1 + beta) / 2 : used;  // fast convergence
  threshold_ = std::max(used * beta, window_segments_min * mss_);
  epoch_running_ = false;
}

void Cubic::on_loss(Instant /*now*/, std::size_t in_flight_bytes) {
  decrease(in_flight_bytes);
  recovering_ = true;
  reduction_.start(in_flight_bytes);
  reduced_window_ = in_flight_bytes;
  window_ = threshold_;
}

void Cubic::on_recovered(Instant /*now*/) {
  recovering_ = false;
}

void Cubic::on_timeout(Instant /*now*/, std::size_t in_flight_bytes) {
  if (recovering_) {
    // The recovery has its decrease already, and its losses were none of this timeout's business.
    recovering_ = false;
    undo_ = {threshold_, threshold_, window_max_, window_prior_};
  } else {
    decrease(in_flight_bytes);
  }
  window_ = mss_;
  epoch_running_ = false;
}

void Cubic::on_spurious_loss(Instant /*now*/) {
  recovering_ = false;
  window_ = std::max(window_, undo_.window);
  threshold_ = std::max(threshold_, undo_.threshold);
  window_max_ = undo_.window_max;
  window_prior_ = undo_.window_prior;
  epoch_running_ = false;
}

void Cubic::on_idle(Instant /*now*/, Duration idle, Duration rto) {
  // RFC 5681 section 4.1 in the gentle form of RFC 7661: halved for every RTO of silence.
  const double floor = mss_ * initial_window_segments;
  if (window_ <= floor) return;
  threshold_ = std::max(threshold_, 0.75 * window_);
  for (; idle > rto && window_ > floor; idle -= rto) window_ /= 2;
  window_ = std::max(window_, floor);
  epoch_running_ = false;
}

}  // namespace sidestream::tunnel
