#include "tunnel/time_wait.h"

namespace sidestream::tunnel {
namespace {

// A clock of milliseconds has certainly moved on by then (RFC 6191 section 2).
constexpr Duration reuse_after = 1s;

}  // namespace

void TimeWait::add(Instant now, const TcpEnds& ends, const TcpConnection::Remains& remains) {
  if (limits_->time_wait_max == 0) return;
  if (waiting_.size() >= limits_->time_wait_max) {
    by_ends_.erase(waiting_.front().ends);
    waiting_.pop_front();
  }
  waiting_.push_back({.ends = ends, .remains = remains, .until = now + limits_->time_wait});
  by_ends_[ends] = std::prev(waiting_.end());
  if (remains.owes_acknowledgment) answer(now, waiting_.back());
}

void TimeWait::answer(Instant now, Waiting& waiting) {
  const TcpConnection::Remains& remains = waiting.remains;
  TcpSegment segment;
  segment.ack = true;
  segment.sequence = remains.next.wire();
  segment.acknowledgment = remains.expected.wire();
  segment.window = remains.window;
  if (remains.timestamps)
    segment.options.timestamps = TcpTimestamps{remains.clock.at(now), remains.echo.recent()};
  replies_->push_segment(waiting.ends.local, waiting.ends.remote, segment);
}

bool TimeWait::begins_anew(const Waiting& waiting, const TcpSegment& syn) {
  const TcpConnection::Remains& remains = waiting.remains;
  // RFC 6191 section 2: a greater timestamp, or, where there are none, a greater sequence number.
  if (remains.timestamps && syn.options.timestamps) {
    if (timestamp_before(remains.echo.recent(), syn.options.timestamps->value)) return true;
    if (remains.echo.recent() != syn.options.timestamps->value) return false;
  }
  return Sequence::near(syn.sequence, remains.expected) > remains.expected;
}

TimeWait::Outcome TimeWait::handle_segment(Instant now, const TcpEnds& ends,
                                           const TcpSegment& segment) {
  const auto found = by_ends_.find(ends);
  if (found == by_ends_.end()) return {Verdict::unknown};
  const List::iterator waiting = found->second;
  // A reset must not end the wait (RFC 1337): it may be an old one.
  if (segment.rst) return {Verdict::done};
  const TcpConnection::Remains& remains = waiting->remains;
  const bool same_syn = Sequence::near(segment.sequence, remains.initial) == remains.initial;
  if (remains.ended_early && (!segment.syn || same_syn)) {
    reply_with_reset(*replies_, ends.local, ends.remote, segment);
    return {Verdict::done};
  }
  if (segment.syn && !segment.ack && begins_anew(*waiting, segment)) {
    const Outcome outcome{Verdict::reopen, waiting->remains.next.wire()};
    waiting_.erase(waiting);
    by_ends_.erase(found);
    return outcome;
  }
  const Sequence expected = waiting->remains.expected;
  const Sequence end = Sequence::near(segment.sequence, expected) + segment.length();
  if (segment.fin && end == expected) {
    waiting->until = now + limits_->time_wait;
    waiting_.splice(waiting_.end(), waiting_, waiting);
  } else if (segment.length() == 0 && end == expected) {
    return {Verdict::done};
  }
  if (now < waiting->answer_after && !segment.fin) return {Verdict::done};
  waiting->answer_after = now + limits_->challenge_ack_interval;
  answer(now, *waiting);
  return {Verdict::done};
}

std::optional<std::uint32_t> TimeWait::reuse(Instant now, const TcpEnds& ends) {
  const auto found = by_ends_.find(ends);
  if (found == by_ends_.end()) return std::nullopt;
  const List::iterator waiting = found->second;
  const Instant since = waiting->until - limits_->time_wait;
  if (!waiting->remains.timestamps || now - since < reuse_after) return std::nullopt;
  const std::uint32_t after = waiting->remains.next.wire();
  waiting_.erase(waiting);
  by_ends_.erase(found);
  return after;
}

void TimeWait::handle_timeout(Instant now) {
  while (!waiting_.empty() && waiting_.front().until <= now) {
    by_ends_.erase(waiting_.front().ends);
    waiting_.pop_front();
  }
}

}  // namespace sidestream::tunnel
