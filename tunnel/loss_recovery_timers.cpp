// The timers of a stream: the retransmission timer (RFC 6298), the tail loss probe (RFC 8985
// section 7) and the wait for what may only be late, and what ends their waiting.
#include <algorithm>

#include "tunnel/loss_recovery.h"

namespace sidestream::tunnel {
namespace {

// RFC 8985 section 7.2: how long a peer may delay the acknowledgment of a single segment, and what
// to wait while nothing was measured.
constexpr Duration peer_ack_delay_max = 200ms;
constexpr Duration probe_without_rtt = 1s;

}  // namespace

Instant LossRecovery::deadline() const {
  return std::min({timeout_at_, probe_at_, reorder_at_});
}

void LossRecovery::handle_timeout(Instant now, bool unsent) {
  if (now >= reorder_at_) {
    const std::size_t in_flight_before = macroflow_->in_flight_bytes();
    const std::size_t lost_before = scoreboard_.lost_bytes();
    const std::size_t lost_bytes = find_losses(now, in_flight_before, lost_before);
    count_in_flight();
    if (lost_bytes > 0)
      macroflow_->congestion().on_ack(sample_of(now, in_flight_before, lost_bytes));
  }
  if (now >= probe_at_) {
    probe_at_ = Instant::max();
    probe_ = unsent ? Probe::new_text : Probe::last_segment;
    timeout_at_ = now + rtt_.rto();
  } else if (now >= timeout_at_) {
    on_retransmission_timeout(now);
  }
}

void LossRecovery::on_retransmission_timeout(Instant now) {
  const bool first = rtt_.backoffs() == 0;
  const std::size_t in_flight = macroflow_->in_flight_bytes();
  // A peer that has the first segment and does not acknowledge it took its SACK back.
  if (scoreboard_.front().sacked) scoreboard_.forget_sacks();
  mark_lost_on_timeout(now);
  begin_episode(Phase::loss);
  episode_undoable_ = first;
  forced_ = true;
  probe_end_.reset();
  reorder_at_ = Instant::max();
  // A second timeout in a row finds the window at its least already (RFC 5681 section 3.1).
  if (first && !shut_) macroflow_->on_timeout(part_, now, in_flight, rtt_.rto());
  count_in_flight();
  rtt_.back_off();
  timed_out_at_ = now;
  timeout_at_ = now + rtt_.rto();
}

void LossRecovery::mark_lost_on_timeout(Instant now) {
  duplicates_ = 0;
  if (sack_) {
    rack_.mark_lost_on_timeout(now, scoreboard_, rtt_);
  } else {
    scoreboard_.mark_longer_lost(0);
  }
}

void LossRecovery::arm_probe(Instant now) {
  probe_at_ = Instant::max();
  if (!sack_ || !outstanding() || phase_ != Phase::open || probe_end_ || probe_ != Probe::none ||
      scoreboard_.sacked_count() > 0)
    return;
  Duration wait = rtt_.has_sample() ? 2 * rtt_.smoothed() : probe_without_rtt;
  if (scoreboard_.count() == 1) wait += peer_ack_delay_max;
  probe_at_ = std::min(now + wait, timeout_at_);
}

void LossRecovery::process_probe(Instant now, const Acknowledgment& ack, bool duplicate) {
  // RFC 8985 section 7.4.2. A DSACK for the probe has cleared probe_end_ already.
  if (!probe_end_ || ack.number < *probe_end_) return;
  if (!probe_was_retransmission_) {
    probe_end_.reset();
  } else if (ack.number > *probe_end_) {
    // Nobody said that the original came too, so the probe repaired a loss.
    probe_end_.reset();
    if (phase_ != Phase::open) return;
    macroflow_->on_loss(part_, now, macroflow_->in_flight_bytes());
    macroflow_->on_recovered(part_, now);
    episode_undoable_ = false;
  } else if (duplicate && ack.sack.empty()) {
    probe_end_.reset();
  }
}

void LossRecovery::on_path_restored(Instant now) {
  if (rtt_.backoffs() == 0 || timeout_at_ == Instant::max()) return;
  rtt_.end_back_off();
  rtt_.back_off();  // one timeout has happened, so that the next one is not the first
  // Not at once and by force, as the timer would: many streams have waited for this moment.
  mark_lost_on_timeout(now);
  count_in_flight();
  timeout_at_ = now + rtt_.rto();
}

}  // namespace sidestream::tunnel
