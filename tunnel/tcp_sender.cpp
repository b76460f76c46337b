#include "tunnel/tcp_sender.h"

#include <algorithm>
#include <utility>

namespace sidestream::tunnel {
namespace {

// A writer that had to wait is called when there is room for more than a little.
constexpr std::size_t writable_bytes_min = 64UL << 10U;

}  // namespace

TcpSender::TcpSender(const TcpLimits& limits, ChunkPool& pool)
    : limits_(&limits), buffer_(pool), recovery_(limits) {}

void TcpSender::open(Sequence initial, std::size_t bytes_max) {
  buffer_.start(initial + 1);
  syn_text_room_ = bytes_max;
}

std::size_t TcpSender::close_syn_text() {
  syn_text_room_ = 0;
  return buffer_.size();
}

void TcpSender::start(Instant now, Start start) {
  initial_ = start.initial;
  mss_ = start.mss;
  const Sequence first = start.initial + 1 + start.acknowledged;
  if (buffer_.size() == 0)
    buffer_.start(first);
  else
    buffer_.release_before(first);
  window_acknowledgment_ = first;
  progress_at_ = now;
  recovery_.start(now, {.first = first,
                        .mss = start.mss,
                        .sack = start.sack,
                        .timestamps = start.timestamps,
                        .macroflow = start.macroflow,
                        .congestion = std::move(start.congestion)});
}

void TcpSender::set_mss(std::size_t mss) {
  mss_ = mss;
  recovery_.set_mss(mss);
}

std::uint64_t TcpSender::sent_bytes() const {
  return std::min(next(), buffer_.end()).since(initial_ + 1);
}

// ---- user ---------------------------------------------------------------------------------------

std::size_t TcpSender::unsent_bytes() const {
  return next() < buffer_.end() ? buffer_.end().since(next()) : 0;
}

std::size_t TcpSender::room() const {
  const std::size_t unsent_max =
      std::max(2 * recovery_.macroflow().window_share(), limits_->unsent_bytes_min);
  const std::size_t unsent = unsent_bytes();
  const std::size_t held = buffer_.size();
  if (unsent >= unsent_max || held >= limits_->send_buffer_bytes_max) return 0;
  return std::min(unsent_max - unsent, limits_->send_buffer_bytes_max - held);
}

std::size_t TcpSender::write(Bytes from) {
  if (closed_) return 0;
  if (!recovery_.started()) {
    const std::size_t early = buffer_.append(from.first(std::min(from.size(), syn_text_room_)));
    syn_text_room_ -= early;
    writer_waits_ |= early < from.size();
    return early;
  }
  const Bytes wanted = from.first(std::min(from.size(), room()));
  const std::size_t taken = buffer_.append(wanted);
  if (taken < wanted.size()) memory_short_ = true;
  if (taken < from.size()) writer_waits_ = true;
  return taken;
}

bool TcpSender::take_writable() {
  if (!writer_waits_ || memory_short_ || closed_ || !recovery_.started()) return false;
  const std::size_t enough = std::min(limits_->send_buffer_bytes_max / 4, writable_bytes_min);
  if (room() < enough && buffer_.size() > 0) return false;
  writer_waits_ = false;
  return true;
}

void TcpSender::close() {
  closed_ = true;
}

void TcpSender::stop() {
  recovery_.stop();
  buffer_.clear();
  persist_at_ = Instant::max();
  held_ = Held::no;
  probe_window_ = writer_waits_ = false;
}

// ---- peer ---------------------------------------------------------------------------------------

void TcpSender::on_acknowledged(Instant now, Acknowledgment ack, Sequence sequence,
                                std::size_t window) {
  const bool progress = ack.number > unacknowledged();
  // RFC 9293 section 3.10.7.4 goes by SEG.SEQ alone and so misses the window of a retransmission
  // that acknowledges more than anything before it: SND.UNA would move on with an old window.
  const bool newer = progress || window_sequence_ < sequence ||
                     (window_sequence_ == sequence && window_acknowledgment_ <= ack.number);
  ack.may_be_duplicate &= window == window_;
  if (newer) {
    window_ = window;
    window_max_ = std::max(window_max_, window);
    window_sequence_ = std::max(window_sequence_, sequence);
    window_acknowledgment_ = ack.number;
  }
  // A peer that answers keeps its connection, however long its window stays shut (RFC 9293 section
  // 3.8.6.1).
  if (progress || window_ == 0) progress_at_ = now;
  if (window_ > 0) persist_backoffs_ = 0;
  recovery_.on_acknowledged(now, ack);
  recovery_.on_window(now, window_);
  if (!progress) return;
  buffer_.release_before(std::min(ack.number, buffer_.end()));
  memory_short_ = false;
}

// ---- to the wire --------------------------------------------------------------------------------

std::optional<TcpSender::Transmission> TcpSender::poll_transmit(Instant now, const SendTurn& turn) {
  turn_ = turn;
  held_ = Held::no;
  std::optional<Transmission> sent = send_again(now);
  if (!sent && held_ != Held::pace) sent = send_new(now);
  if (!sent) sent = probe_window();
  arm_persist(now);
  return sent;
}

bool TcpSender::may_send(Instant now, std::size_t bytes) {
  if (!turn_.text) {
    held_ = Held::turn;
    return false;
  }
  if (recovery_.silent()) {
    recovery_.on_window_limited();  // of its own: the others go on
    return false;
  }
  switch (recovery_.macroflow().may_send(now, bytes, turn_.thin)) {
    case Macroflow::Verdict::now:
      return true;
    case Macroflow::Verdict::window:
      recovery_.on_window_limited();
      held_ = Held::window;
      return false;
    case Macroflow::Verdict::pace:
      held_ = Held::pace;
      return false;
  }
  return false;
}

TcpSender::Transmission TcpSender::transmission(SequenceRange range) const {
  const bool fin = closed_ && range.end > buffer_.end();
  return {.begin = range.begin,
          .payload_bytes = range.size() - fin,
          .fin = fin,
          .push = range.end >= buffer_.end()};
}

std::optional<TcpSender::Transmission> TcpSender::send_again(Instant now) {
  bool forced = false;
  SentSegment* const segment = recovery_.due(forced);
  if (segment == nullptr) return std::nullopt;
  if (!forced) {
    // The peer may have taken window back; then only the timer sends.
    const bool inside =
        segment->end <= window_end() || (segment->begin == unacknowledged() && window_ > 0);
    if (!inside || !may_send(now, segment->size())) return std::nullopt;
  }
  const SequenceRange range{segment->begin, segment->end};
  recovery_.on_sent_again(*segment, now);
  return transmission(range);
}

TcpSender::Offer TcpSender::offer() const {
  const std::size_t unsent = unsent_bytes();
  const std::size_t usable = window_end() > next() ? window_end().since(next()) : 0;
  Offer offer{.payload_bytes = std::min({unsent, mss_, usable})};
  // Silly window avoidance: when it is the window that makes a segment small, it goes only if it is
  // half of the largest window ever seen. No Nagle: what the writer made small is sent at once.
  const bool cut_short = offer.payload_bytes < std::min(unsent, mss_);
  if (cut_short && !send_what_fits_ && offer.payload_bytes < (window_max_ + 1) / 2) return {};
  offer.fin =
      closed_ && !fin_sent() && offer.payload_bytes == unsent && offer.payload_bytes < usable;
  return offer;
}

std::optional<TcpSender::Transmission> TcpSender::send_new(Instant now) {
  const Offer offered = offer();
  const bool probing = recovery_.wants_new_text_probe();
  if (offered.size() == 0) {
    if (!probing) {
      // The writer, or the peer's window, is the limit.
      const Macroflow& line = recovery_.macroflow();
      if (!turn_.others_wait && line.in_flight_bytes() < line.congestion().window())
        recovery_.on_application_limited();
      return std::nullopt;
    }
    recovery_.probe_with_last_segment();
    return send_again(now);
  }
  const bool outstanding = recovery_.outstanding();
  if (!probing) {
    if (recovery_.segment_count() >= limits_->segments_in_flight_max) return std::nullopt;
    if (!outstanding && turn_.text)
      recovery_.macroflow().start_flight(now, initial_window_segments * mss_, recovery_.rtt().rto(),
                                         recovery_.rtt().smoothed());
    if (!may_send(now, offered.size())) return std::nullopt;
  }
  if (!outstanding) progress_at_ = now;
  send_what_fits_ = false;
  const SequenceRange range{next(), next() + offered.size()};
  recovery_.on_sent(range, now);
  return transmission(range);
}

std::optional<TcpSender::Transmission> TcpSender::probe_window() {
  // One number before what is expected: not acceptable, so it must be answered (RFC 9293 section
  // 3.10.7.4), and the answer carries the window.
  if (!std::exchange(probe_window_, false)) return std::nullopt;
  return Transmission{.begin = unacknowledged() - 1};
}

// ---- timers -------------------------------------------------------------------------------------

void TcpSender::arm_persist(Instant now) {
  const bool shut = has_unsent() && !recovery_.outstanding() && offer().size() == 0;
  if (!shut) {
    persist_at_ = Instant::max();
    probe_window_ = false;
    persist_backoffs_ = 0;
  } else if (persist_at_ == Instant::max()) {
    if (persist_backoffs_ == 0) progress_at_ = now;
    Duration wait = recovery_.rtt().rto();
    for (unsigned i = 0; i < persist_backoffs_ && wait < limits_->rto_max; ++i) wait *= 2;
    persist_at_ = now + std::min(wait, limits_->rto_max);
  }
}

Instant TcpSender::deadline() const {
  Instant deadline = std::min(recovery_.deadline(), persist_at_);
  // Of a shared macroflow the scheduler knows when it lets somebody send again.
  if (held_ == Held::pace && !recovery_.shares_macroflow())
    deadline = std::min(deadline, recovery_.macroflow().paced_until());
  if (recovery_.outstanding() || persist_at_ != Instant::max())
    deadline = std::min(deadline, progress_at_ + limits_->user_timeout);
  return deadline;
}

bool TcpSender::handle_timeout(Instant now) {
  const bool waits = recovery_.outstanding() || persist_at_ != Instant::max();
  if (waits && now >= progress_at_ + limits_->user_timeout) return false;
  if (now >= persist_at_) {
    persist_at_ = Instant::max();
    ++persist_backoffs_;
    probe_window_ = window_end() <= next();
    send_what_fits_ = !probe_window_;
  }
  recovery_.handle_timeout(now, offer().size() > 0);
  return true;
}

void TcpSender::on_path_restored(Instant now) {
  recovery_.on_path_restored(now);
  if (persist_backoffs_ == 0 || persist_at_ == Instant::max()) return;
  persist_backoffs_ = 0;
  persist_at_ = std::min(persist_at_, now);
}

}  // namespace sidestream::tunnel
