#include "tunnel/bbr.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "tunnel/tcp_limits.h"

namespace sidestream::tunnel {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

// From the draft: BBRHighGain (2 / ln 2) fills the pipe in as many rounds as doubling does, its
// inverse empties the queue of that in one; the gains of PROBE_BW; BtlBwFilterLen in rounds.
constexpr double high_gain = 2.885;
constexpr std::array<double, 8> cycle_gains{1.25, 0.75, 1, 1, 1, 1, 1, 1};
constexpr double probing_window_gain = 2;
constexpr std::uint64_t bandwidth_rounds = 10;
constexpr double full_growth = 1.25;
constexpr unsigned full_rounds_wanted = 3;
constexpr Duration minimum_rtt_lifetime = 10s;
constexpr Duration probe_rtt_time = 200ms;
constexpr double window_segments_min = 4;
// From Linux: pacing stays a little below what was measured, so that queues do not stay; the memory
// of bunched acknowledgments, in rounds, and the most that they may add to the window.
constexpr double pacing_margin = 0.99;
constexpr unsigned aggregation_span = 5;
constexpr Duration aggregation_max = 100ms;
// Ours: so many separate losses are needed to call a queue full (as versions 2 and 3 have it).
constexpr unsigned loss_events_min = 6;
// Ours: when the shortest round trip of a round is a quarter longer than the shortest of all, and
// by this much, there is a queue.
constexpr Duration queue_rtt_min = 4ms;
// Ours: how long a cycle may empty the queue, in shortest round trips.
constexpr int drain_rtts_max = 6;
// A round trip before any was measured.
constexpr Duration unknown_rtt = 1ms;

double seconds(Duration time) {
  return std::chrono::duration<double>(time).count();
}

}  // namespace

std::unique_ptr<CongestionControl> make_bbr(std::size_t mss) {
  return std::make_unique<Bbr>(mss);
}

Bbr::Bbr(std::size_t mss, const BbrParameters& parameters)
    : parameters_(parameters),
      mss_(static_cast<double>(mss)),
      window_(mss_ * initial_window_segments),
      bandwidth_(bandwidth_rounds),
      bandwidth_low_(infinity),
      in_flight_high_(infinity) {}

void Bbr::set_mss(std::size_t mss) {
  mss_ = static_cast<double>(mss);
  window_ = std::max(window_, window_min());
}

// ---- the model
// -----------------------------------------------------------------------------------

std::uint64_t Bbr::bandwidth() const {
  return static_cast<std::uint64_t>(
      std::min(static_cast<double>(bandwidth_.value()), bandwidth_low_));
}

double Bbr::product() const {
  return static_cast<double>(bandwidth()) * seconds(minimum_rtt_);
}

double Bbr::send_quantum() const {
  return std::clamp(static_cast<double>(rate_) * 0.001, 2 * mss_, 65536.0);
}

double Bbr::window_min() const {
  return window_segments_min * mss_;
}

double Bbr::in_flight_for(double gain) const {
  if (minimum_rtt_ == Duration::zero()) return mss_ * initial_window_segments;
  return std::max(gain * product() + 3 * send_quantum(), window_min());
}

double Bbr::pacing_gain() const {
  switch (state_) {
    case State::startup:
      return high_gain;
    case State::drain:
      return 1 / high_gain;
    case State::probe_bandwidth:
      return cycle_gains[phase_];
    case State::probe_rtt:
      break;
  }
  return 1;
}

double Bbr::window_gain() const {
  return state_ == State::startup || state_ == State::drain ? parameters_.startup_window_gain
                                                            : probing_window_gain;
}

std::uint64_t Bbr::pacing_rate() const {
  return rate_;
}

std::size_t Bbr::window() const {
  double window = window_;
  if (state_ == State::probe_rtt)
    window = std::min(window, std::max(parameters_.probe_rtt_gain * product(), window_min()));
  return static_cast<std::size_t>(window);
}

// ---- one acknowledgment
// --------------------------------------------------------------------------

void Bbr::on_ack(const AckSample& sample) {
  smoothed_rtt_ = sample.smoothed_rtt;
  begin_round(sample);
  update_bandwidth(sample);
  update_aggregation(sample);
  update_cycle(sample);
  check_full_pipe(sample);
  check_drain(sample);
  update_minimum_rtt(sample);

  const double rtt = seconds(std::max(smoothed_rtt_, unknown_rtt));
  const double known =
      bandwidth() > 0 ? static_cast<double>(bandwidth()) * pacing_margin : window_ / rtt;
  const auto rate = static_cast<std::uint64_t>(pacing_gain() * known);
  if (full_pipe_ || rate > rate_) rate_ = rate;
  update_window(sample);
}

void Bbr::begin_round(const AckSample& sample) {
  delivered_ = sample.delivered_in_all;
  round_lost_ += static_cast<double>(sample.lost_bytes);
  round_delivered_ += static_cast<double>(sample.delivered_bytes);
  round_in_flight_ = std::max(round_in_flight_, static_cast<double>(sample.prior_in_flight_bytes));
  round_rate_ = std::max(round_rate_, static_cast<double>(sample.delivery.bytes_per_second));
  round_loss_events_ += sample.lost_bytes > 0;
  if (sample.rtt) round_rtt_ = std::min(round_rtt_, *sample.rtt);
  round_started_ =
      sample.delivered_bytes > 0 && sample.delivery.prior_delivered >= next_round_delivered_;
  if (!round_started_) return;
  next_round_delivered_ = sample.delivered_in_all;
  ++round_;
  last_round_rtt_ = std::exchange(round_rtt_, Duration::max());
  packet_conservation_ = false;
  end_round_of_losses(sample);
}

void Bbr::end_round_of_losses(const AckSample& /*sample*/) {
  const bool probing = state_ == State::probe_bandwidth && phase_ == 0;
  const double rate = round_lost_ / std::max(round_lost_ + round_delivered_, 1.0);
  const double threshold =
      full_pipe_ ? parameters_.loss_threshold : parameters_.startup_loss_threshold;
  if (rate > threshold && round_loss_events_ >= loss_events_min) {
    in_flight_high_ = std::max(round_in_flight_ * parameters_.loss_beta, in_flight_for(1));
    full_pipe_ = true;
  } else if (probing) {
    in_flight_high_ *= full_growth;
  }
  if (parameters_.lower_bound && round_lost_ > 0 && full_pipe_ && !probing) {
    const double low = std::min(bandwidth_low_, static_cast<double>(bandwidth_.value()));
    bandwidth_low_ = std::max(round_rate_, low * 0.7);
  }
  round_lost_ = round_delivered_ = round_in_flight_ = round_rate_ = 0;
  round_loss_events_ = 0;
}

void Bbr::update_bandwidth(const AckSample& sample) {
  const std::uint64_t rate = sample.delivery.bytes_per_second;
  if (rate == 0) return;
  if (rate >= bandwidth_.value() || !sample.delivery.application_limited)
    bandwidth_.update(round_, rate);
}

// How much acknowledgments run ahead of the bandwidth when they come in bunches: without that much
// more in flight the sender would pause between two bunches.
void Bbr::update_aggregation(const AckSample& sample) {
  if (sample.delivered_bytes == 0 || bandwidth() == 0) return;
  if (round_started_ && ++aggregation_rounds_ >= aggregation_span) {
    aggregation_rounds_ = 0;
    aggregation_extra_ = {0, aggregation_extra_[0]};
  }
  const double delivered = static_cast<double>(sample.delivered_bytes);
  double expected = static_cast<double>(bandwidth()) * seconds(sample.now - aggregation_began_);
  if (aggregation_bytes_ <= expected) {
    aggregation_bytes_ = expected = 0;
    aggregation_began_ = sample.now;
  }
  aggregation_bytes_ += delivered;
  const double extra = std::min(aggregation_bytes_ - expected, window_);
  aggregation_extra_[0] = std::max(aggregation_extra_[0], extra);
}

// ---- the states
// ----------------------------------------------------------------------------------

void Bbr::enter_cycle_phase(Instant now, std::size_t phase) {
  state_ = State::probe_bandwidth;
  phase_ = phase;
  phase_began_ = now;
  if (phase == 0) bandwidth_low_ = infinity;
}

void Bbr::update_cycle(const AckSample& sample) {
  if (state_ != State::probe_bandwidth) return;
  const double gain = cycle_gains[phase_];
  const bool whole = sample.now - phase_began_ > minimum_rtt_;
  const auto in_flight = static_cast<double>(sample.prior_in_flight_bytes);
  bool over = whole;
  // Probing must have filled what it is to find; what it filled must be emptied again, and what
  // pacing that is a little too fast has added since then (as versions 2 and 3 do). A path that has
  // become longer never gets there, so there is an end to it.
  if (gain > 1)
    over = whole && (sample.lost_bytes > 0 || in_flight >= in_flight_for(gain) ||
                     in_flight >= in_flight_high_);
  if (gain < 1)
    over =
        in_flight <= in_flight_for(1) || sample.now - phase_began_ > drain_rtts_max * minimum_rtt_;
  if (over) enter_cycle_phase(sample.now, (phase_ + 1) % cycle_gains.size());
}

void Bbr::check_full_pipe(const AckSample& sample) {
  if (full_pipe_ || !round_started_ || sample.delivery.application_limited) return;
  const auto bandwidth = static_cast<double>(bandwidth_.value());
  const bool queue = parameters_.queue_ends_startup &&
                     last_round_rtt_ > minimum_rtt_ + minimum_rtt_ / 4 + queue_rtt_min;
  if (bandwidth >= full_bandwidth_ * full_growth) {
    full_bandwidth_ = bandwidth;
    full_rounds_ = 0;
    return;
  }
  ++full_rounds_;
  full_pipe_ = queue || full_rounds_ >= full_rounds_wanted;
}

void Bbr::check_drain(const AckSample& sample) {
  if (state_ == State::startup && full_pipe_) state_ = State::drain;
  if (state_ == State::drain && static_cast<double>(sample.in_flight_bytes) <= in_flight_for(1))
    enter_startup_or_probe_bandwidth(sample.now);
}

void Bbr::enter_startup_or_probe_bandwidth(Instant now) {
  if (!full_pipe_) {
    state_ = State::startup;
    return;
  }
  // Not all connections probe at the same time; any phase but the one that empties the queue.
  const auto choice = static_cast<std::size_t>(now.time_since_epoch().count() / 1000 % 7);
  enter_cycle_phase(now, choice == 0 ? 0 : choice + 1);
}

void Bbr::update_minimum_rtt(const AckSample& sample) {
  const bool expired =
      minimum_rtt_ != Duration::zero() &&
      sample.now - minimum_rtt_at_ > std::min(parameters_.probe_rtt_interval, minimum_rtt_lifetime);
  if (sample.rtt && (minimum_rtt_ == Duration::zero() || *sample.rtt <= minimum_rtt_ || expired)) {
    minimum_rtt_ = *sample.rtt;
    minimum_rtt_at_ = sample.now;
  }
  if (expired && !idle_restart_ && state_ != State::probe_rtt) {
    save_window();
    state_ = State::probe_rtt;
    probe_rtt_done_.reset();
  }
  if (sample.delivered_bytes > 0) idle_restart_ = false;
  if (state_ != State::probe_rtt) return;
  if (!probe_rtt_done_) {
    if (sample.in_flight_bytes > window()) return;
    probe_rtt_done_ = sample.now + probe_rtt_time;
    probe_rtt_round_done_ = false;
    next_round_delivered_ = sample.delivered_in_all;
    return;
  }
  probe_rtt_round_done_ |= round_started_;
  if (!probe_rtt_round_done_ || sample.now < *probe_rtt_done_) return;
  minimum_rtt_at_ = sample.now;
  restore_window();
  enter_startup_or_probe_bandwidth(sample.now);
}

// ---- the window
// ----------------------------------------------------------------------------------

void Bbr::update_window(const AckSample& sample) {
  const auto delivered = static_cast<double>(sample.delivered_bytes);
  const auto in_flight = static_cast<double>(sample.in_flight_bytes);
  if (recovering_ && sample.lost_bytes > 0)
    window_ = std::max(window_ - static_cast<double>(sample.lost_bytes), mss_);
  // Startup goes on through losses that come by chance: growth is what tells a full pipe there.
  const bool heavy = round_lost_ > parameters_.startup_loss_threshold * round_in_flight_;
  if (packet_conservation_ && (full_pipe_ || heavy)) {
    window_ = std::max(in_flight + delivered, window_min());
    return;
  }
  const double extra = std::min(std::max(aggregation_extra_[0], aggregation_extra_[1]),
                                static_cast<double>(bandwidth()) * seconds(aggregation_max));
  const double target =
      std::min(in_flight_for(window_gain()) + (full_pipe_ ? extra : 0), in_flight_high_);
  if (full_pipe_)
    window_ = std::min(window_ + delivered, target);
  else if (window_ < target ||
           static_cast<double>(sample.delivered_in_all) < mss_ * initial_window_segments)
    window_ += delivered;
  window_ = std::max(window_, window_min());
}

void Bbr::save_window() {
  prior_window_ =
      recovering_ || state_ == State::probe_rtt ? std::max(prior_window_, window_) : window_;
}

void Bbr::restore_window() {
  window_ = std::max(window_, prior_window_);
}

void Bbr::on_loss(Instant /*now*/, std::size_t /*in_flight_bytes*/) {
  save_window();
  recovering_ = packet_conservation_ = true;
  // The round of the losses begins here, so that one more counts for nothing in startup.
  next_round_delivered_ = delivered_;
}

void Bbr::on_recovered(Instant /*now*/) {
  if (!recovering_) return;
  recovering_ = packet_conservation_ = false;
  restore_window();
}

void Bbr::on_timeout(Instant /*now*/, std::size_t /*in_flight_bytes*/) {
  save_window();
  recovering_ = true;
  packet_conservation_ = false;
  window_ = mss_;
  // What is known of the bandwidth may be out of date.
  full_bandwidth_ = 0;
  full_rounds_ = 0;
}

void Bbr::on_spurious_loss(Instant /*now*/) {
  recovering_ = packet_conservation_ = false;
  restore_window();
  in_flight_high_ = infinity;
}

void Bbr::on_idle(Instant now, Duration /*idle*/, Duration /*rto*/) {
  idle_restart_ = true;
  aggregation_began_ = now;
  aggregation_bytes_ = 0;
  // The queue is empty: no need to probe at once with more than the path has.
  if (state_ == State::probe_bandwidth)
    rate_ = static_cast<std::uint64_t>(static_cast<double>(bandwidth()) * pacing_margin);
}

}  // namespace sidestream::tunnel
