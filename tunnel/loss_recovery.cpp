#include "tunnel/loss_recovery.h"

#include <algorithm>
#include <utility>

namespace sidestream::tunnel {
LossRecovery::LossRecovery(const TcpLimits& limits)
    : limits_(&limits), scoreboard_(limits.sack_ranges_max), rtt_(limits) {}

LossRecovery::~LossRecovery() {
  if (macroflow_ != nullptr) macroflow_->leave(part_);
}

void LossRecovery::start(Instant now, Start start) {
  acknowledged_ = next_ = round_end_ = limited_at_ = start.first;
  mss_ = start.mss;
  sack_ = start.sack;
  timestamps_ = start.timestamps;
  if (start.congestion)
    own_macroflow_ = std::make_unique<Macroflow>(now, std::move(start.congestion));
  macroflow_ = own_macroflow_ ? own_macroflow_.get() : start.macroflow;
}

void LossRecovery::set_mss(std::size_t mss) {
  const bool smaller = mss < mss_;
  mss_ = mss;
  macroflow_->congestion().set_mss(mss);
  if (!smaller || scoreboard_.empty()) return;
  // What was larger did not get through. That is no sign of congestion, so the episode that sends
  // it again takes nothing from the window.
  scoreboard_.mark_longer_lost(mss);
  scoreboard_.cut(mss);
  count_in_flight();
  if (scoreboard_.lost_bytes() == 0 || phase_ != Phase::open) return;
  begin_episode(Phase::loss);
  episode_undoable_ = false;
}

std::size_t LossRecovery::in_flight_bytes() const {
  // Every duplicate acknowledgment tells of a segment that left the network.
  const std::size_t left = duplicates_ * mss_;
  const std::size_t sent = scoreboard_.in_flight_bytes();
  return sent > left ? sent - left : 0;
}

// ---- what was sent ------------------------------------------------------------------------------

DeliveryMark LossRecovery::mark_of_now(Instant now) {
  return macroflow_->rate().on_sent(now, macroflow_->in_flight_bytes() == 0);
}

void LossRecovery::on_sent(SequenceRange range, Instant now) {
  scoreboard_.on_sent(range, now, mark_of_now(now));
  next_ = range.end;
  count_in_flight();
  macroflow_->on_sent(now, range.size());
  if (timeout_at_ == Instant::max()) timeout_at_ = now + rtt_.rto();
  if (probe_ == Probe::new_text) {
    probe_ = Probe::none;
    probe_end_ = next_;
    probe_was_retransmission_ = false;
    return;
  }
  arm_probe(now);
}

void LossRecovery::on_sent_again(SentSegment& segment, Instant now) {
  scoreboard_.on_sent_again(segment, now, mark_of_now(now));
  count_in_flight();
  macroflow_->on_sent(now, segment.size());
  ++retransmitted_segments_;
  // The answer to the first segment is what the timer waits for, so it waits for this one.
  if (timeout_at_ == Instant::max() || segment.begin == acknowledged_)
    timeout_at_ = now + rtt_.rto();
  if (std::exchange(forced_, false) || probe_ != Probe::last_segment) {
    if (!std::exchange(episode_retransmitted_, true)) episode_retransmitted_at_ = now;
    ++episode_unproven_;
    return;
  }
  probe_ = Probe::none;
  probe_end_ = next_;
  probe_was_retransmission_ = true;
}

void LossRecovery::on_application_limited() {
  if (scoreboard_.lost_bytes() == 0)
    macroflow_->rate().on_application_limited(macroflow_->in_flight_bytes());
}

SentSegment* LossRecovery::due(bool& forced) {
  forced = forced_ || probe_ == Probe::last_segment;
  if (forced_ || probe_ != Probe::last_segment) return scoreboard_.first_lost();
  if (!scoreboard_.empty() && !scoreboard_.back().sacked) return &scoreboard_.back();
  probe_ = Probe::none;
  forced = false;
  return scoreboard_.first_lost();
}

// ---- what was acknowledged ----------------------------------------------------------------------

void LossRecovery::on_acknowledged(Instant now, const Acknowledgment& ack) {
  macroflow_->set_in_flight(part_, in_flight_bytes());  // silent no more
  const Sequence acknowledged_before = acknowledged_;
  const std::size_t sacked_before = scoreboard_.sacked_bytes();
  const std::size_t in_flight_before = macroflow_->in_flight_bytes();
  const std::size_t lost_before = scoreboard_.lost_bytes();
  const std::size_t acknowledged_bytes = ack.number.since(acknowledged_);
  const bool was_outstanding = outstanding();

  Delivery delivery;
  if (sack_) read_sack(now, ack, delivery);
  std::size_t acknowledged_segments = 0;
  scoreboard_.acknowledge(ack.number, [&](const SentSegment& segment) {
    ++acknowledged_segments;
    // Sent again once, in this episode, and what arrived was sent before that.
    delivery.original_arrived |=
        segment.retransmitted && !segment.retransmitted_often && episode_retransmitted_ &&
        segment.sent_at >= episode_retransmitted_at_ && shows_original(ack, segment.sent_at);
    count_delivered(now, segment, ack, delivery);
  });
  acknowledged_ = ack.number;
  // Addition first: what was sacked before is now often part of what is acknowledged.
  delivery.bytes = acknowledged_bytes + scoreboard_.sacked_bytes() - sacked_before;
  const bool duplicate = was_outstanding && acknowledged_bytes == 0 && ack.may_be_duplicate;
  if (!sack_ && duplicate) ++duplicates_;
  if (!sack_) count_duplicate_acknowledgments(ack, acknowledged_bytes, acknowledged_segments);

  take_rtt(now, ack, delivery, acknowledged_bytes);
  if (acknowledged_bytes > 0) rtt_.end_back_off();
  if (delivery.duplicate_reported) rack_.on_duplicate_reported(acknowledged_, next_);
  const bool shown = phase_ != Phase::open && delivery.original_arrived;
  if (episode_undoable_ && (delivery.spurious || shown)) undo_episode(now);
  if (phase_ != Phase::open && acknowledged_ >= episode_end_) end_episode(now);
  process_probe(now, ack, duplicate);

  if (outstanding() && acknowledged_bytes > 0) timeout_at_ = now + rtt_.rto();
  const std::size_t lost_bytes = find_losses(now, in_flight_before, lost_before);
  if (!outstanding()) {
    timeout_at_ = probe_at_ = reorder_at_ = Instant::max();
  } else if (acknowledged_bytes > 0 || phase_ != Phase::open || scoreboard_.sacked_count() > 0) {
    arm_probe(now);
  }

  count_in_flight();
  const RateSample rate = macroflow_->rate().take_sample(rtt_.minimum());
  if (delivery.bytes == 0 && lost_bytes == 0) return;
  AckSample sample = sample_of(now, in_flight_before, lost_bytes);
  sample.delivery = rate;
  sample.acknowledged_bytes = acknowledged_bytes;
  sample.delivered_bytes = delivery.bytes;
  sample.rtt = delivery.rtt;
  sample.window_limited = acknowledged_before < limited_at_;
  if (acknowledged_ >= round_end_ && acknowledged_bytes > 0) {
    sample.round_started = true;
    round_end_ = next_;
  }
  if (delivery.bytes > 0) macroflow_->on_delivered(part_, now);
  macroflow_->congestion().on_ack(sample);
}

AckSample LossRecovery::sample_of(Instant now, std::size_t in_flight_before,
                                  std::size_t lost_bytes) const {
  return {.now = now,
          .lost_bytes = lost_bytes,
          .in_flight_bytes = macroflow_->in_flight_bytes(),
          .smoothed_rtt = rtt_.smoothed(),
          .minimum_rtt = rtt_.minimum(),
          .prior_in_flight_bytes = in_flight_before,
          .delivered_in_all = macroflow_->rate().delivered()};
}

void LossRecovery::count_delivered(Instant now, const SentSegment& segment,
                                   const Acknowledgment& ack, Delivery& delivery) {
  macroflow_->rate().on_delivered(now, segment.mark, segment.sent_at, segment.size());
  rack_.on_delivered(now, segment, segment.retransmitted && shows_original(ack, segment.sent_at),
                     rtt_.minimum());
  // Karn: a segment that was sent twice measures nothing.
  if (segment.retransmitted || (delivery.rtt && segment.sent_at < delivery.rtt_sent_at)) return;
  if (!measures_path(segment.sent_at)) return;
  delivery.rtt_sent_at = segment.sent_at;
  delivery.rtt = now - segment.sent_at;
}

void LossRecovery::read_sack(Instant now, const Acknowledgment& ack, Delivery& delivery) {
  for (std::size_t i = 0; i < ack.sack.size(); ++i) {
    const SequenceRange range{Sequence::near(ack.sack[i].begin, ack.number),
                              Sequence::near(ack.sack[i].end, ack.number)};
    if (range.empty() || range.end > next_) continue;
    // RFC 2883 section 4: the first block is a DSACK if it is acknowledged already or lies within
    // the second one.
    bool duplicate = range.end <= ack.number;
    if (i == 0 && !duplicate && ack.sack.size() > 1) {
      const SequenceRange second{Sequence::near(ack.sack[1].begin, ack.number),
                                 Sequence::near(ack.sack[1].end, ack.number)};
      duplicate = second.begin <= range.begin && range.end <= second.end;
    }
    if (i == 0 && duplicate) on_duplicate_reported(range, delivery);
    if (range.begin <= ack.number || duplicate) continue;
    scoreboard_.sack(
        range, [&](const SentSegment& segment) { count_delivered(now, segment, ack, delivery); });
  }
}

void LossRecovery::on_duplicate_reported(SequenceRange range, Delivery& delivery) {
  delivery.duplicate_reported = true;
  if (probe_end_ && probe_was_retransmission_ && range.end == *probe_end_) {
    probe_end_.reset();  // the original of the probe had arrived, nothing was lost
    return;
  }
  // RFC 3708: when every retransmission of the episode was needless, so was the episode.
  if (!episode_retransmitted_ || range.begin < episode_begin_ || episode_unproven_ == 0) return;
  if (--episode_unproven_ == 0) delivery.spurious = true;
}

void LossRecovery::count_duplicate_acknowledgments(const Acknowledgment& ack,
                                                   std::size_t acknowledged_bytes,
                                                   std::size_t acknowledged_segments) {
  if (acknowledged_bytes > 0) {
    const auto gone = static_cast<unsigned>(acknowledged_segments);
    const bool partial = phase_ != Phase::open && ack.number < episode_end_;
    duplicates_ = partial && duplicates_ + 1 > gone ? duplicates_ + 1 - gone : 0;
    // A partial acknowledgment points at the next hole (RFC 6582 section 3.2 step 3).
    if (partial && phase_ == Phase::recovery && !scoreboard_.front().retransmitted)
      scoreboard_.mark_lost(scoreboard_.front());
  } else if (duplicates_ >= duplicate_ack_threshold && phase_ == Phase::open &&
             acknowledged_ > episode_end_) {
    scoreboard_.mark_lost(scoreboard_.front());
  }
}

void LossRecovery::take_rtt(Instant now, const Acknowledgment& ack, const Delivery& delivery,
                            std::size_t acknowledged_bytes) {
  const std::size_t samples = scoreboard_.count() / 2;
  if (delivery.rtt) {
    rtt_.on_sample(now, *delivery.rtt, samples);
  } else if (acknowledged_bytes > 0 && timestamps_ && ack.echo) {
    // Only retransmissions were acknowledged; the timestamp tells which.
    const Duration age = timestamps_->age(now, *ack.echo);
    if (age >= Duration::zero() && age <= limits_->rto_max && measures_path(now - age))
      rtt_.on_sample(now, age, samples);
  }
}

void LossRecovery::on_window(Instant now, std::size_t bytes) {
  if (bytes > 0) {
    if (!std::exchange(shut_, false) || !outstanding()) return;
    rtt_.end_back_off();
    timeout_at_ = now + rtt_.rto();
    return;
  }
  shut_ = true;
  if (!outstanding()) return;
  scoreboard_.mark_longer_lost(0);
  duplicates_ = 0;
  count_in_flight();
  if (phase_ == Phase::open) begin_episode(Phase::loss);
  episode_undoable_ = forced_ = false;
  reorder_at_ = Instant::max();
  macroflow_->on_recovered(part_, now);
}

// ---- episodes -----------------------------------------------------------------------------------

void LossRecovery::begin_episode(Phase phase) {
  phase_ = phase;
  episode_begin_ = acknowledged_;
  episode_end_ = next_;
  episode_unproven_ = 0;
  episode_retransmitted_ = false;
  episode_undoable_ = true;
  probe_at_ = Instant::max();
  probe_ = Probe::none;
}

void LossRecovery::end_episode(Instant now) {
  macroflow_->on_recovered(part_, now);
  phase_ = Phase::open;
  duplicates_ = 0;
  rack_.on_recovery_ended();
}

void LossRecovery::undo_episode(Instant now) {
  macroflow_->on_spurious_loss(part_, now);
  scoreboard_.forget_losses();
  episode_undoable_ = false;
  forced_ = false;
  if (phase_ != Phase::open) {
    phase_ = Phase::open;
    duplicates_ = 0;
    rack_.on_recovery_ended();
  }
}

std::size_t LossRecovery::find_losses(Instant now, std::size_t in_flight_before,
                                      std::size_t lost_before) {
  reorder_at_ = Instant::max();
  if (sack_ && outstanding()) {
    const auto again = rack_.detect(now, scoreboard_, rtt_, phase_ != Phase::open);
    reorder_at_ = again.value_or(Instant::max());
  }
  const std::size_t lost = scoreboard_.lost_bytes();
  if (phase_ == Phase::open && lost > 0) {
    begin_episode(Phase::recovery);
    forced_ = true;
    macroflow_->on_loss(part_, now, in_flight_before);
  }
  return lost > lost_before ? lost - lost_before : 0;
}

void LossRecovery::stop() {
  if (macroflow_ != nullptr) macroflow_->leave(part_);
  scoreboard_.clear();
  acknowledged_ = next_;
  timeout_at_ = probe_at_ = reorder_at_ = Instant::max();
  forced_ = false;
  probe_ = Probe::none;
}

}  // namespace sidestream::tunnel
