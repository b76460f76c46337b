#include "tunnel/tcp_connection.h"

#include <algorithm>
#include <array>
#include <utility>

#include "tunnel/ip_packet.h"

namespace sidestream::tunnel {

// ---- the user -----------------------------------------------------------------------------------

TcpStack::ReadResult TcpConnection::read(Instant now, MutableBytes into) {
  if (error_ != TcpError::none) return {.error = error_};
  TcpStack::ReadResult result;
  if (!opened_) return result;
  result.bytes = receiver_.read(now, into);
  result.end = receiver_.ended() && receiver_.readable() == 0;
  end_read_ = result.end;
  if (result.bytes == 0 && !result.end) readable_told_ = false;
  tell_progress();
  return result;
}

std::size_t TcpConnection::write(Bytes from) {
  if (write_closed_ || state_ == TcpState::closed) return 0;
  return sender_.write(from);
}

void TcpConnection::close_write() {
  if (write_closed_) return;
  write_closed_ = true;
  if (!opened_ || early_) return;
  if (state_ == TcpState::established) state_ = TcpState::fin_wait_1;
  if (state_ == TcpState::close_wait) state_ = TcpState::last_ack;
  sender_.close();
}

void TcpConnection::abort() {
  if (over()) return;
  send_reset();
  fail(TcpError::aborted);
}

void TcpConnection::fail(TcpError error) {
  state_ = TcpState::closed;
  error_ = error;
  sender_.stop();
  receiver_.stop();
  transmit_syn_ = keepalive_due_ = false;
  handshake_at_ = Instant::max();
  events_ = Event::closed;
}

void TcpConnection::tell_progress() {
  const bool something = receiver_.readable() > 0 || receiver_.ended();
  if (something && !readable_told_ && !end_read_) {
    readable_told_ = true;
    tell(Event::readable);
  }
  if (sender_.take_writable()) tell(Event::writable);
}

std::optional<StackEvent::Kind> TcpConnection::poll_event() {
  constexpr std::array kinds{std::pair{Event::connected, StackEvent::Kind::connected},
                             std::pair{Event::readable, StackEvent::Kind::readable},
                             std::pair{Event::writable, StackEvent::Kind::writable},
                             std::pair{Event::closed, StackEvent::Kind::closed}};
  for (const auto& [event, kind] : kinds) {
    if ((events_ & event) == 0) continue;
    events_ &= static_cast<std::uint8_t>(~event);
    return kind;
  }
  return std::nullopt;
}

ConnectionStatus TcpConnection::status() const {
  ConnectionStatus status{.local = ends_.local, .remote = ends_.remote};
  if (!opened_) return status;
  status.smoothed_rtt = sender_.recovery().rtt().smoothed();
  status.sent_bytes = sender_.sent_bytes();
  status.received_bytes = receiver_.received_bytes();
  status.retransmitted_segments = sender_.recovery().retransmitted_segments();
  status.unacknowledged_bytes = sender_.unacknowledged_bytes();
  status.congestion_window_bytes = sender_.recovery().macroflow().congestion().window();
  return status;
}

TcpConnection::Remains TcpConnection::remains() const {
  return {.next = sender_.next(),
          .initial = receiver_.initial(),
          .expected = receiver_.next(),
          .window = static_cast<std::uint16_t>(
              std::min<std::size_t>(receiver_.window() >> receive_scale_, 0xffff)),
          .timestamps = timestamps_,
          .clock = clock_,
          .echo = echo_,
          .owes_acknowledgment = !early_ && receiver_.owes_acknowledgment(),
          .ended_early = early_};
}

// ---- ICMP ---------------------------------------------------------------------------------------

void TcpConnection::handle_packet_too_big(std::size_t mtu, std::uint32_t sequence) {
  if (!opened_ || over()) return;
  // Only about something that is in flight (RFC 5927 section 4.1).
  const Sequence at = Sequence::near(sequence, sender_.unacknowledged());
  if (at < sender_.unacknowledged() || at >= sender_.next()) return;
  const std::size_t floor = ends_.local.address.is_v4() ? path_mtu_v4_min : path_mtu_v6_min;
  const std::size_t next_hop = std::max(mtu, floor);
  if (next_hop >= path_mtu_) return;
  path_mtu_ = next_hop;
  if (segment_bytes_max() < sender_.mss()) sender_.set_mss(segment_bytes_max());
}

void TcpConnection::set_path_mtu(std::size_t mtu) {
  path_mtu_ = mtu;
  if (opened_ && !over() && segment_bytes_max() != sender_.mss())
    sender_.set_mss(segment_bytes_max());
}

bool TcpConnection::doubts_path_mtu() const {
  return opened_ && !over() && sender_.recovery().timed_out() &&
         sender_.next().since(sender_.unacknowledged()) > path_mtu_v4_min;
}

void TcpConnection::handle_unreachable(std::uint32_t sequence) {
  // Later it is a soft error: the network may heal (RFC 1122 section 4.2.3.9).
  if (state_ == TcpState::syn_sent && sequence == initial_.wire()) fail(TcpError::unreachable);
}

// ---- timers -------------------------------------------------------------------------------------

Instant TcpConnection::deadline() const {
  if (over()) return Instant::max();
  if (!opened_) return handshake_at_;
  return std::min({handshake_at_, sender_.deadline(), receiver_.deadline(), keepalive_deadline()});
}

void TcpConnection::handle_timeout(Instant now) {
  if (over()) return;
  if (!opened_ || early_) handle_handshake_timeout(now);
  if (!opened_ || over()) return;
  if (!sender_.handle_timeout(now)) {
    send_reset();
    fail(TcpError::timed_out);
    return;
  }
  handle_keepalive(now);
}

void TcpConnection::fail_as_reset() {
  if (!over()) fail(TcpError::reset);
}

void TcpConnection::handle_path_restored(Instant now) {
  if (over()) return;
  if (opened_) sender_.on_path_restored(now);
  if ((!opened_ || early_) && handshake_sent_at_ < now) {
    handshake_at_ = std::min(handshake_at_, now);  // the SYN went into the dead path
  }
  if (deadline() <= now) handle_timeout(now);
}

Instant TcpConnection::keepalive_deadline() const {
  const TcpLimits& limits = surroundings_->limits;
  // While something is unacknowledged the retransmission timer asks often enough.
  if (limits.keepalive_idle == Duration::zero() || !sender_.idle()) return Instant::max();
  return heard_at_ + limits.keepalive_idle + keepalive_probes_ * limits.keepalive_interval;
}

void TcpConnection::handle_keepalive(Instant now) {
  if (now < keepalive_deadline()) return;
  if (keepalive_probes_ >= surroundings_->limits.keepalive_probes_max) {
    send_reset();
    fail(TcpError::timed_out);
    return;
  }
  ++keepalive_probes_;
  keepalive_due_ = true;
}

// ---- to the wire --------------------------------------------------------------------------------

void TcpConnection::send_reset() {
  // A SYN that nobody answered leaves nothing to reset.
  if (state_ == TcpState::syn_sent) return;
  TcpSegment reset;
  reset.rst = reset.ack = true;
  reset.acknowledgment = receiver_.next().wire();
  const Sequence next = opened_ ? acknowledgment_sequence() : initial_ + 1;
  reset.sequence = next.wire();
  surroundings_->replies.push_segment(ends_.local, ends_.remote, reset);
  // The peer believes only a reset at the very number it expects (RFC 5961). If what is in flight
  // was lost, that is the first of it.
  if (!opened_ || sender_.unacknowledged() == next) return;
  reset.sequence = sender_.unacknowledged().wire();
  surroundings_->replies.push_segment(ends_.local, ends_.remote, reset);
}

Sequence TcpConnection::acknowledgment_sequence() const {
  // Not outside the window, even when the peer took some of it back: it would not be looked at.
  return std::min(sender_.next(), sender_.unacknowledged() + sender_.window());
}

std::size_t TcpConnection::poll_transmit(Instant now, MutableBytes buffer, const SendTurn& turn) {
  if (over()) return 0;
  if (transmit_syn_) return transmit_handshake(now, buffer);
  if (!opened_) return transmit_syn_text(now, buffer);
  if (receiver_.wants_pure_acknowledgment())
    return transmit_acknowledgment(now, buffer, acknowledgment_sequence());
  if (const std::size_t bytes = transmit_text(now, buffer, turn)) return bytes;
  if (receiver_.wants_acknowledgment(now))
    return transmit_acknowledgment(now, buffer, acknowledgment_sequence());
  // One number too early, which must be answered (RFC 9293 section 3.8.4).
  if (std::exchange(keepalive_due_, false))
    return transmit_acknowledgment(now, buffer, sender_.unacknowledged() - 1);
  return 0;
}

TcpSegment TcpConnection::segment_now(Instant now, Sequence at) {
  TcpSegment segment;
  segment.ack = true;
  segment.sequence = at.wire();
  segment.acknowledgment = receiver_.next().wire();
  segment.window = receiver_.announce();
  if (timestamps_) segment.options.timestamps = TcpTimestamps{clock_.at(now), echo_.recent()};
  return segment;
}

std::size_t TcpConnection::transmit_acknowledgment(Instant now, MutableBytes buffer, Sequence at) {
  TcpSegment segment = segment_now(now, at);
  receiver_.report(segment.options);
  receiver_.on_acknowledgment_sent();
  return finish(buffer, segment, 0);
}

std::size_t TcpConnection::transmit_text(Instant now, MutableBytes buffer, const SendTurn& turn) {
  const auto sent = sender_.poll_transmit(now, turn);
  if (!sent) return 0;
  if (sent->payload_bytes == 0 && !sent->fin)
    return transmit_acknowledgment(now, buffer, sent->begin);
  TcpSegment segment = segment_now(now, sent->begin);
  segment.fin = sent->fin;
  segment.psh = sent->push;
  const std::size_t headers =
      ip_header_bytes(ends_.local.address) + tcp_header_bytes + tcp_options_bytes(segment.options);
  sender_.read(sent->begin, buffer.subspan(headers, sent->payload_bytes));
  receiver_.on_acknowledgment_sent();
  if (sender_.take_writable()) tell(Event::writable);
  return finish(buffer, segment, sent->payload_bytes);
}

std::size_t TcpConnection::finish(MutableBytes buffer, TcpSegment& segment,
                                  std::size_t payload_bytes) {
  segment.source_port = ends_.local.port;
  segment.destination_port = ends_.remote.port;
  return write_tcp_packet(buffer, ends_.local.address, ends_.remote.address, segment,
                          payload_bytes);
}

}  // namespace sidestream::tunnel
