#include "tunnel/macroflow.h"

#include <algorithm>
#include <utility>

namespace sidestream::tunnel {
namespace {

// How far a thin stream may go beyond the window, and ahead of the pace.
constexpr std::size_t thin_window_bytes = 16384;
constexpr Duration thin_pace = 10ms;
// About a segment for each of the streams that have something in flight, up to so many of them, may
// be in flight whatever the model says. The acknowledgment of a stream's only segment may be
// delayed by much more than a round trip, and the model would take that for all the line can do.
constexpr std::size_t stream_window_bytes = 1400;
constexpr std::size_t streams_window_max = 64;

}  // namespace

Macroflow::Macroflow(Instant now, std::unique_ptr<CongestionControl> congestion)
    : congestion_(std::move(congestion)), last_sent_at_(now) {}

// ---- what a stream tells ------------------------------------------------------------------------

void Macroflow::set_in_flight(Part& part, std::size_t bytes) {
  streams_in_flight_ += bytes > 0;
  streams_in_flight_ -= part.in_flight_bytes > 0;
  in_flight_bytes_ += bytes;
  in_flight_bytes_ -= part.in_flight_bytes;
  part.in_flight_bytes = bytes;
}

void Macroflow::on_loss(Part& part, Instant now, std::size_t in_flight_bytes) {
  if (std::exchange(part.recovering, true)) return;
  if (streams_recovering_++ == 0) congestion_->on_loss(now, in_flight_bytes);
}

void Macroflow::on_recovered(Part& part, Instant now) {
  if (!std::exchange(part.recovering, false)) return;
  if (--streams_recovering_ == 0) congestion_->on_recovered(now);
}

void Macroflow::on_spurious_loss(Part& part, Instant now) {
  streams_recovering_ -= std::exchange(part.recovering, false);
  if (streams_recovering_ == 0) congestion_->on_spurious_loss(now);
}

void Macroflow::on_timeout(Part& part, Instant now, std::size_t in_flight_bytes, Duration rto) {
  const Instant others_at = delivered_of_ == &part ? delivered_of_others_at_ : delivered_at_;
  if (streams_in_flight_ > (part.in_flight_bytes > 0) && others_at > now - rto) {
    on_loss(part, now, in_flight_bytes);
    return;
  }
  streams_recovering_ += !std::exchange(part.recovering, true);
  congestion_->on_timeout(now, in_flight_bytes);
}

void Macroflow::on_delivered(const Part& part, Instant now) {
  if (delivered_of_ != &part) {
    delivered_of_others_at_ = delivered_at_;
    delivered_of_ = &part;
  }
  delivered_at_ = now;
}

void Macroflow::on_sent(Instant now, std::size_t bytes) {
  congestion_->on_sent(bytes);
  pacer_.on_sent(now, bytes, congestion_->pacing_rate());
  sent_ = true;
  last_sent_at_ = now;
}

void Macroflow::start_flight(Instant now, std::size_t free_bytes, Duration rto,
                             Duration smoothed_rtt) {
  if (in_flight_bytes_ > 0) return;
  const Duration idle = now - last_sent_at_;
  if (idle > rto) congestion_->on_idle(now, idle, rto);
  // Unless it is only the acknowledgments of a steady stream that were quick.
  if (idle >= smoothed_rtt || !sent_) pacer_.on_idle(free_bytes);
}

void Macroflow::leave(Part& part) {
  set_in_flight(part, 0);
  on_recovered(part, last_sent_at_);
  if (delivered_of_ == &part) delivered_of_ = nullptr;
}

// ---- what a stream may do -----------------------------------------------------------------------

Macroflow::Verdict Macroflow::may_send(Instant now, std::size_t bytes, bool thin) const {
  const std::size_t least = std::min(streams_in_flight_, streams_window_max) * stream_window_bytes;
  const std::size_t window =
      std::max(congestion_->window(), least) + (thin ? thin_window_bytes : 0);
  if (in_flight_bytes_ > 0 && in_flight_bytes_ + bytes > window) return Verdict::window;
  if (pacer_.may_send(now) || (thin && pacer_.next() - now <= thin_pace)) return Verdict::now;
  return Verdict::pace;
}

Instant Macroflow::paced_until(bool thin) const {
  return pacer_.next() - (thin ? thin_pace : Duration::zero());
}

std::size_t Macroflow::window_share() const {
  return congestion_->window() / std::max<std::size_t>(streams_in_flight_, 1);
}

}  // namespace sidestream::tunnel
