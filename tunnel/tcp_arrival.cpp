// SEGMENT ARRIVES (RFC 9293 section 3.10.7.4) for the states from ESTABLISHED on, with PAWS (RFC
// 7323 section 5) before and the challenges of RFC 5961 in it. The checks stand in the order of the
// RFC; each returns false when the segment is done with.
#include <algorithm>

#include "tunnel/tcp_connection.h"

namespace sidestream::tunnel {

void TcpConnection::handle_segment(Instant now, const TcpSegment& segment) {
  switch (state_) {
    case TcpState::syn_sent:
      handle_in_syn_sent(now, segment);
      return;
    case TcpState::syn_received:
      handle_in_syn_received(now, segment);
      return;
    case TcpState::time_wait:
    case TcpState::closed:
      return;
    default:
      break;
  }
  const Sequence at = Sequence::near(segment.sequence, receiver_.next());
  if (!check_timestamps(now, segment)) return;
  if (!check_sequence(now, segment, at)) return;
  heard_at_ = now;
  keepalive_probes_ = 0;
  if (!check_reset_and_syn(now, segment, at)) return;
  if (segment.options.timestamps && timestamps_)
    echo_.on_segment(now, segment.options.timestamps->value, at, receiver_.last_acknowledgment());
  if (!check_acknowledgment(now, segment, at)) return;
  take_text(now, segment, at);
  advance_state();
  tell_progress();
}

bool TcpConnection::check_timestamps(Instant now, const TcpSegment& segment) {
  if (!timestamps_ || segment.rst) return true;
  // Once agreed, every segment carries one (RFC 7323 section 3.2).
  if (!segment.options.timestamps) return false;
  if (!echo_.is_old(now, segment.options.timestamps->value)) return true;
  answer_unacceptable(now, segment, Sequence::near(segment.sequence, receiver_.next()));
  return false;
}

// First.
bool TcpConnection::check_sequence(Instant now, const TcpSegment& segment, Sequence at) {
  if (receiver_.acceptable(at, segment.length())) return true;
  // While the window is shut, acknowledgments and resets are taken all the same.
  if (receiver_.window() == 0 && at == receiver_.next()) return true;
  if (!segment.rst) answer_unacceptable(now, segment, at);
  return false;
}

void TcpConnection::answer_unacceptable(Instant now, const TcpSegment& segment, Sequence at) {
  // Whoever sends text or FIN again needs the answer; the rest could be two hosts that answer each
  // other's answers.
  if (segment.length() > segment.syn) {
    receiver_.on_unacceptable(at, segment.payload.size());
  } else {
    challenge(now);
  }
}

void TcpConnection::challenge(Instant now) {
  if (now < challenge_after_) return;
  challenge_after_ = now + surroundings_->limits.challenge_ack_interval;
  receiver_.acknowledge_now();
}

// Second and fourth, as RFC 5961 sections 3.2 and 4.2 have them.
bool TcpConnection::check_reset_and_syn(Instant now, const TcpSegment& segment, Sequence at) {
  if (segment.rst && at == receiver_.next()) {
    fail(TcpError::reset);
    return false;
  }
  if (segment.rst || segment.syn) {
    challenge(now);
    return false;
  }
  return true;
}

std::size_t TcpConnection::scaled_window(const TcpSegment& segment) const {
  return std::size_t{segment.window} << (segment.syn ? 0U : send_scale_);
}

// Fifth, with RFC 5961 section 5.2.
bool TcpConnection::check_acknowledgment(Instant now, const TcpSegment& segment, Sequence at) {
  if (!segment.ack) return false;
  const Sequence number = Sequence::near(segment.acknowledgment, sender_.next());
  const bool too_old = number + sender_.window_max() < sender_.unacknowledged();
  if (number > sender_.next() || too_old) {
    challenge(now);
    return false;
  }
  // An old one says nothing, but its text may be new.
  if (number < sender_.unacknowledged()) return true;
  Acknowledgment acknowledgment{.number = number, .sack = segment.options.sack()};
  if (segment.options.timestamps) acknowledgment.echo = segment.options.timestamps->echo;
  acknowledgment.may_be_duplicate = segment.length() == 0;
  sender_.on_acknowledged(now, acknowledgment, at, scaled_window(segment));
  return true;
}

// Seventh and eighth.
void TcpConnection::take_text(Instant now, const TcpSegment& segment, Sequence at) {
  if (segment.length() == 0) return;
  if (timestamps_ && segment.options.timestamps && segment.ack && !segment.payload.empty()) {
    const Duration age = clock_.age(now, segment.options.timestamps->echo);
    if (age >= Duration::zero() && age < surroundings_->limits.rto_max) receiver_.on_rtt(age);
  }
  receiver_.accept(now, at, segment.payload, segment.fin);
}

void TcpConnection::advance_state() {
  if (sender_.fin_acknowledged()) {
    if (state_ == TcpState::fin_wait_1) state_ = TcpState::fin_wait_2;
    if (state_ == TcpState::closing) state_ = TcpState::time_wait;
    if (state_ == TcpState::last_ack) state_ = TcpState::closed;
  }
  if (receiver_.ended()) {
    if (state_ == TcpState::established) state_ = TcpState::close_wait;
    if (state_ == TcpState::fin_wait_1) state_ = TcpState::closing;
    if (state_ == TcpState::fin_wait_2) state_ = TcpState::time_wait;
  }
  if (state_ == TcpState::time_wait || state_ == TcpState::closed) {
    sender_.stop();
    tell(Event::closed);
  }
}

}  // namespace sidestream::tunnel
