// Opening a connection: SYN-SENT and SYN-RECEIVED (RFC 9293 sections 3.5, 3.10.7.3, 3.10.7.4).
#include <algorithm>
#include <limits>

#include "tunnel/ip_packet.h"
#include "tunnel/tcp_connection.h"

namespace sidestream::tunnel {
namespace {

constexpr std::size_t unscaled_window_max = std::numeric_limits<std::uint16_t>::max();

// The least shift that lets the largest window of ours be said in 16 bits.
std::uint8_t window_scale_for(std::size_t window_bytes_max) {
  std::uint8_t scale = 0;
  while (scale < window_scale_max && (window_bytes_max >> scale) > unscaled_window_max) ++scale;
  return scale;
}

}  // namespace

TcpConnection::TcpConnection(Instant now, const TcpSurroundings& surroundings, const TcpEnds& ends,
                             Secrets secrets)
    : surroundings_(&surroundings),
      ends_(ends),
      state_(TcpState::syn_sent),
      transmit_syn_(true),
      receive_scale_(window_scale_for(surroundings.limits.receive_window_bytes_max)),
      path_mtu_(surroundings.mtu),
      initial_(Sequence::initial(secrets.initial_sequence)),
      handshake_sent_at_(now),
      clock_(secrets.timestamp_offset),
      sender_(surroundings.limits, surroundings.pool),
      receiver_(surroundings.limits, surroundings.pool) {}

TcpConnection::TcpConnection(Instant now, const TcpSurroundings& surroundings, const TcpEnds& ends,
                             Secrets secrets, const TcpSegment& syn)
    : TcpConnection(now, surroundings, ends, secrets) {
  passive_ = true;
  state_ = TcpState::syn_received;
  take_syn(now, syn);
}

std::uint16_t TcpConnection::announced_mss() const {
  const std::size_t headers = ip_header_bytes(ends_.local.address) + tcp_header_bytes;
  return static_cast<std::uint16_t>(
      std::min<std::size_t>(surroundings_->mtu - headers, unscaled_window_max));
}

std::size_t TcpConnection::segment_bytes_max() const {
  // RFC 6691: what the peer announced does not allow for options, so they are taken off here.
  const std::size_t headers = ip_header_bytes(ends_.local.address) + tcp_header_bytes;
  TcpOptions options;
  if (timestamps_) options.timestamps.emplace();
  return std::min<std::size_t>(peer_mss_, path_mtu_ - headers) - tcp_options_bytes(options);
}

std::uint16_t TcpConnection::window_before_syn() const {
  return static_cast<std::uint16_t>(
      std::min(surroundings_->limits.receive_window_bytes_initial, unscaled_window_max));
}

// What both kinds of SYN tell about the peer.
void TcpConnection::take_syn(Instant now, const TcpSegment& syn) {
  const TcpOptions& options = syn.options;
  const std::uint16_t fallback = ends_.local.address.is_v4() ? default_mss_v4 : default_mss_v6;
  peer_mss_ = std::max(options.mss.value_or(fallback), mss_min);
  sack_ = options.sack_permitted;
  timestamps_ = options.timestamps.has_value();
  if (timestamps_) echo_.start(now, options.timestamps->value);
  // Scaling is on only when both have asked for it (RFC 7323 section 2.2).
  scaling_ = options.window_scale.has_value();
  send_scale_ = std::min(options.window_scale.value_or(0), window_scale_max);
  if (!scaling_) receive_scale_ = 0;
  heard_at_ = now;
  receiver_.start({.initial = Sequence::initial(syn.sequence),
                   .mss = announced_mss(),
                   .window_scale = receive_scale_,
                   .sack = sack_});
}

void TcpConnection::handle_in_syn_sent(Instant now, const TcpSegment& segment) {
  const bool acknowledges = segment.ack && segment.acknowledgment == (initial_ + 1).wire();
  if (segment.ack && !acknowledges) {
    reply_with_reset(surroundings_->replies, ends_.local, ends_.remote, segment);
    return;
  }
  if (segment.rst) {
    if (acknowledges) fail(TcpError::refused);
    return;
  }
  if (!segment.syn) return;
  take_syn(now, segment);
  if (acknowledges) {
    establish(now, segment, receiver_.initial());
    receiver_.acknowledge_now();
    return;
  }
  // Simultaneous open (section 3.5, figure 7).
  state_ = TcpState::syn_received;
  transmit_syn_ = true;
  // Which of our SYNs the peer will acknowledge cannot be told, so none may measure the round trip.
  handshake_retries_ = 1;
}

void TcpConnection::handle_in_syn_received(Instant now, const TcpSegment& segment) {
  const Sequence at = Sequence::near(segment.sequence, receiver_.next());
  const bool acknowledges = segment.ack && segment.acknowledgment == (initial_ + 1).wire();
  if (!check_timestamps(now, segment)) return;
  if (segment.syn && at == receiver_.initial() && !segment.rst) {
    if (acknowledges) {  // the other half of a simultaneous open
      establish(now, segment, at);
      receiver_.acknowledge_now();
    } else {
      transmit_syn_ = true;  // ours was lost
    }
    return;
  }
  if (!receiver_.acceptable(at, segment.length())) {
    if (!segment.rst) transmit_syn_ = true;
    return;
  }
  if (segment.rst) {
    if (at == receiver_.next()) fail(TcpError::refused);
    return;
  }
  if (segment.syn || !segment.ack) return;
  if (!acknowledges) {
    reply_with_reset(surroundings_->replies, ends_.local, ends_.remote, segment);
    return;
  }
  establish(now, segment, at);
  take_text(now, segment, at);
  advance_state();
  tell_progress();
}

// Our SYN is acknowledged by `segment`.
void TcpConnection::establish(Instant now, const TcpSegment& segment, Sequence at) {
  const std::size_t mss = segment_bytes_max();
  std::unique_ptr<CongestionControl> congestion;
  if (macroflow_ == nullptr)
    congestion = surroundings_->make_congestion_control(mss);
  else
    macroflow_->congestion().set_mss(mss);
  sender_.start(now, {.initial = initial_,
                      .mss = mss,
                      .sack = sack_,
                      .timestamps = timestamps_ ? std::optional(clock_) : std::nullopt,
                      .macroflow = macroflow_,
                      .congestion = std::move(congestion)});
  if (handshake_retries_ == 0) {
    sender_.recovery().on_handshake_rtt(now, now - handshake_sent_at_);
  } else if (timestamps_ && segment.options.timestamps) {
    const Duration age = clock_.age(now, segment.options.timestamps->echo);
    if (age >= Duration::zero()) sender_.recovery().on_handshake_rtt(now, age);
  }
  if (handshake_retries_ > 0) sender_.recovery().on_handshake_without_rtt();
  if (sender_.recovery().rtt().has_sample()) receiver_.on_rtt(sender_.recovery().rtt().smoothed());
  sender_.on_acknowledged(now, {.number = initial_ + 1}, at, scaled_window(segment));
  if (timestamps_ && segment.options.timestamps)
    echo_.on_segment(now, segment.options.timestamps->value, at, receiver_.last_acknowledgment());
  handshake_at_ = Instant::max();
  transmit_syn_ = false;
  heard_at_ = now;
  opened_ = true;
  state_ = TcpState::established;
  if (write_closed_) {
    state_ = TcpState::fin_wait_1;
    sender_.close();
  }
  if (!passive_) tell(Event::connected);
  tell_progress();
}

void TcpConnection::handle_handshake_timeout(Instant now) {
  if (now < handshake_at_) return;
  handshake_at_ = Instant::max();
  const TcpLimits& limits = surroundings_->limits;
  const unsigned retries_max =
      state_ == TcpState::syn_sent ? limits.syn_retries_max : limits.syn_ack_retries_max;
  if (handshake_retries_ >= retries_max) {
    fail(TcpError::timed_out);
    return;
  }
  ++handshake_retries_;
  transmit_syn_ = true;
}

std::size_t TcpConnection::transmit_handshake(Instant now, MutableBytes buffer) {
  const bool first = state_ == TcpState::syn_sent;
  TcpSegment segment;
  segment.syn = true;
  segment.sequence = initial_.wire();
  segment.options.mss = announced_mss();
  segment.options.sack_permitted = first || sack_;
  if (first || timestamps_)
    segment.options.timestamps = TcpTimestamps{clock_.at(now), first ? 0 : echo_.recent()};
  if (first || scaling_) segment.options.window_scale = receive_scale_;
  if (first) {
    segment.window = window_before_syn();
  } else {
    segment.ack = true;
    segment.acknowledgment = receiver_.next().wire();
    segment.window = receiver_.announce_unscaled();
    receiver_.on_acknowledgment_sent();
  }
  transmit_syn_ = false;
  if (handshake_retries_ == 0) handshake_sent_at_ = now;
  const unsigned shift = std::min<unsigned>(handshake_retries_, 16);
  handshake_at_ = now + std::min(surroundings_->limits.rto_initial * (1 << shift),
                                 surroundings_->limits.syn_rto_max);
  return finish(buffer, segment, 0);
}

}  // namespace sidestream::tunnel
