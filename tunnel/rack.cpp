#include "tunnel/rack.h"

#include <algorithm>

#include "tunnel/tcp_limits.h"

namespace sidestream::tunnel {
namespace {

constexpr unsigned factor_persist_recoveries = 16;
constexpr unsigned factor_max = 100;  // the smoothed round trip bounds the window long before

bool sent_later(Instant a, Sequence a_end, Instant b, Sequence b_end) {
  return a > b || (a == b && a_end > b_end);
}

}  // namespace

void Rack::on_delivered(Instant now, const SentSegment& segment, bool original,
                        Duration rtt_minimum) {
  // Step 3: something older than what was delivered before arrives without having been sent again.
  if (segment.end > forward_) {
    forward_ = segment.end;
  } else if (!segment.retransmitted) {
    reordering_seen_ = true;
  }
  // Step 2: an acknowledgment of the original says nothing about the retransmission.
  const Duration rtt = now - segment.sent_at;
  if (segment.retransmitted && (original || rtt < rtt_minimum)) return;
  rtt_ = rtt;
  if (!any_delivered_ || sent_later(segment.sent_at, segment.end, sent_at_, end_)) {
    any_delivered_ = true;
    sent_at_ = segment.sent_at;
    end_ = segment.end;
  }
}

void Rack::on_duplicate_reported(Sequence acknowledged, Sequence next) {
  if (duplicate_round_ && acknowledged >= *duplicate_round_) duplicate_round_.reset();
  if (duplicate_round_) return;
  duplicate_round_ = next;
  window_factor_ = std::min(window_factor_ + 1, factor_max);
  window_factor_persist_ = factor_persist_recoveries;
}

void Rack::on_recovery_ended() {
  if (window_factor_persist_ > 0 && --window_factor_persist_ == 0) window_factor_ = 1;
}

Duration Rack::reordering_window(const SackScoreboard& scoreboard, const RttEstimator& rtt,
                                 bool recovering) const {
  if (!reordering_seen_ && (recovering || scoreboard.sacked_count() >= duplicate_ack_threshold))
    return Duration::zero();
  return std::min(static_cast<Duration::rep>(window_factor_) * rtt.minimum() / 4, rtt.smoothed());
}

std::optional<Instant> Rack::detect(Instant now, SackScoreboard& scoreboard,
                                    const RttEstimator& rtt, bool recovering) {
  if (!any_delivered_) return std::nullopt;
  const Duration patience = rtt_ + reordering_window(scoreboard, rtt, recovering);
  SentSegment* segment = scoreboard.sent_first();
  while (segment != nullptr && sent_later(sent_at_, end_, segment->sent_at, segment->end)) {
    const Instant lost_at = segment->sent_at + patience;
    // Those behind it were sent later, so they are not due either.
    if (lost_at > now) return lost_at;
    SentSegment* const next = scoreboard.sent_after(*segment);
    scoreboard.mark_lost(*segment);
    segment = next;
  }
  return std::nullopt;
}

void Rack::mark_lost_on_timeout(Instant now, SackScoreboard& scoreboard, const RttEstimator& rtt) {
  const Duration patience = rtt_ + reordering_window(scoreboard, rtt, true);
  SentSegment* segment = scoreboard.sent_first();
  while (segment != nullptr && segment->sent_at + patience <= now) {
    SentSegment* const next = scoreboard.sent_after(*segment);
    scoreboard.mark_lost(*segment);
    segment = next;
  }
  scoreboard.mark_lost(scoreboard.front());
}

}  // namespace sidestream::tunnel
