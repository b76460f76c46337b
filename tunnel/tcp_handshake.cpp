// Opening a connection: SYN-SENT and SYN-RECEIVED (RFC 9293 sections 3.5, 3.10.7.3, 3.10.7.4).
#include <algorithm>
#include <limits>
#include <utility>

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
      receiver_(surroundings.limits, surroundings.pool) {
  sender_.open(initial_, surroundings.limits.syn_text_bytes_max);
}

TcpConnection::TcpConnection(Instant now, const TcpSurroundings& surroundings, const TcpEnds& ends,
                             Secrets secrets, const TcpSegment& syn)
    : TcpConnection(now, surroundings, ends, secrets) {
  passive_ = true;
  state_ = TcpState::syn_received;
  sender_.close_syn_text();
  take_syn(now, syn);
}

void TcpConnection::open_early(Instant now, const TcpSegment& syn) {
  early_ = opened_ = true;
  start_sender(now, 0);
  sender_.on_acknowledged(now, {.number = initial_ + 1}, receiver_.initial(), scaled_window(syn));
  receiver_.announce_unscaled();  // what the peer could rely on before it was said
  receiver_.accept(now, receiver_.initial() + 1, syn.payload, false);
  tell_progress();
}

std::uint16_t TcpConnection::announced_mss() const {
  const std::size_t headers = ip_header_bytes(ends_.local.address) + tcp_header_bytes;
  return static_cast<std::uint16_t>(
      std::min<std::size_t>(path_mtu_ - headers, unscaled_window_max));
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
  // Our SYN has promised it; an answer to text that went with that may come right behind this one.
  if (state_ == TcpState::syn_sent) receiver_.announce_unscaled();
}

void TcpConnection::handle_in_syn_sent(Instant now, const TcpSegment& segment) {
  const bool acknowledges = acknowledges_syn(segment);
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

bool TcpConnection::acknowledges_syn(const TcpSegment& segment) const {
  const Sequence last = early_ ? sender_.next() : initial_ + 1 + syn_text_sent_;
  const Sequence number = Sequence::near(segment.acknowledgment, last);
  return segment.ack && number > initial_ && number <= last;
}

void TcpConnection::handle_in_syn_received(Instant now, const TcpSegment& segment) {
  const Sequence at = Sequence::near(segment.sequence, receiver_.next());
  const bool acknowledges = acknowledges_syn(segment);
  if (!check_timestamps(now, segment)) return;
  if (segment.syn && at == receiver_.initial() && !segment.rst) {
    if (acknowledges && !early_) {  // the other half of a simultaneous open
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
  if (early_ && !segment.syn && !segment.ack) {
    take_text_before_handshake(now, segment, at);
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

// What did not fit into the SYN, from a peer that has not heard of us yet.
void TcpConnection::take_text_before_handshake(Instant now, const TcpSegment& segment,
                                               Sequence at) {
  const std::size_t taken = receiver_.next().since(receiver_.initial() + 1);
  if (taken + segment.payload.size() > surroundings_->limits.syn_text_bytes_max || segment.fin)
    return;
  take_text(now, segment, at);
  tell_progress();
}

void TcpConnection::start_sender(Instant now, std::size_t syn_text_acknowledged) {
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
                      .acknowledged = syn_text_acknowledged,
                      .macroflow = macroflow_,
                      .congestion = std::move(congestion)});
}

void TcpConnection::take_handshake_rtt(Instant now, const TcpSegment& segment) {
  if (handshake_retries_ == 0) {
    sender_.recovery().on_handshake_rtt(now, now - handshake_sent_at_);
  } else if (timestamps_ && segment.options.timestamps) {
    const Duration age = clock_.age(now, segment.options.timestamps->echo);
    if (age >= Duration::zero()) sender_.recovery().on_handshake_rtt(now, age);
  }
  if (handshake_retries_ > 0) sender_.recovery().on_handshake_without_rtt();
  if (sender_.recovery().rtt().has_sample()) receiver_.on_rtt(sender_.recovery().rtt().smoothed());
}

// Our SYN is acknowledged by `segment`.
void TcpConnection::establish(Instant now, const TcpSegment& segment, Sequence at) {
  const Sequence number = Sequence::near(segment.acknowledgment, initial_ + 1);
  if (!std::exchange(early_, false)) start_sender(now, number.since(initial_ + 1));
  take_handshake_rtt(now, segment);
  sender_.on_acknowledged(now, {.number = number}, at, scaled_window(segment));
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
  const bool with_text = first && handshake_retries_ == 0 && sender_.close_syn_text() > 0;
  if (handshake_retries_ == 0) handshake_sent_at_ = now;
  const unsigned shift = std::min<unsigned>(handshake_retries_, 16);
  handshake_at_ = now + std::min(surroundings_->limits.rto_initial * (1 << shift),
                                 surroundings_->limits.syn_rto_max);
  return with_text ? finish_with_syn_text(buffer, segment) : finish(buffer, segment, 0);
}

// The rest of it: text without an acknowledgment, since there is nothing to acknowledge yet, which
// hosts that did not take the SYN's text drop as well (RFC 9293 section 3.10.7.4, fifth check).
std::size_t TcpConnection::transmit_syn_text(Instant now, MutableBytes buffer) {
  if (state_ != TcpState::syn_sent || syn_text_sent_ == 0 || handshake_retries_ > 0 ||
      syn_text_sent_ >= sender_.syn_text_bytes())
    return 0;
  TcpSegment segment;
  segment.sequence = (initial_ + 1 + syn_text_sent_).wire();
  segment.window = window_before_syn();
  segment.options.timestamps = TcpTimestamps{clock_.at(now), 0};
  return finish_with_syn_text(buffer, segment);
}

std::size_t TcpConnection::finish_with_syn_text(MutableBytes buffer, TcpSegment& segment) {
  const std::size_t headers =
      ip_header_bytes(ends_.local.address) + tcp_header_bytes + tcp_options_bytes(segment.options);
  const std::size_t bytes =
      std::min(sender_.syn_text_bytes() - syn_text_sent_, path_mtu_ - headers);
  sender_.read(initial_ + 1 + syn_text_sent_, buffer.subspan(headers, bytes));
  syn_text_sent_ += bytes;
  segment.psh = true;
  return finish(buffer, segment, bytes);
}

}  // namespace sidestream::tunnel
