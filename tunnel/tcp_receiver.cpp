#include "tunnel/tcp_receiver.h"

#include <algorithm>
#include <limits>

namespace sidestream::tunnel {
namespace {

constexpr std::uint8_t duplicates_owed_max = 64;

}  // namespace

TcpReceiver::TcpReceiver(const TcpLimits& limits, ChunkPool& pool)
    : limits_(&limits),
      pool_(&pool),
      buffer_(pool, limits.out_of_order_ranges_max),
      receive_window_(limits) {}

void TcpReceiver::start(Start start) {
  initial_ = start.initial;
  mss_ = start.mss;
  peer_segment_bytes_ = std::min<std::size_t>(mss_, default_mss_v4);
  window_scale_ = start.window_scale;
  sack_ = start.sack;
  buffer_.start(initial_ + 1);
  acknowledged_ = announced_end_ = initial_ + 1;
}

void TcpReceiver::stop() {
  buffer_.clear();
  delayed_until_ = Instant::max();
  acknowledge_now_ = false;
}

// ---- peer ---------------------------------------------------------------------------------------

bool TcpReceiver::acceptable(Sequence at, std::size_t length) const {
  const SequenceRange offered{next(), announced_end_};
  if (length == 0) return offered.empty() ? at == next() : offered.contains(at);
  return !offered.empty() && (offered.contains(at) || offered.contains(at + (length - 1)));
}

void TcpReceiver::on_unacceptable(Sequence at, std::size_t text_bytes) {
  acknowledge_now_ = true;
  const Sequence end = at + text_bytes;
  if (text_bytes > 0 && end <= buffer_.next() && at > initial_) note_duplicate({at, end});
}

void TcpReceiver::accept(Instant now, Sequence at, Bytes text, bool fin) {
  if (text.empty() && !fin) return;
  const Sequence end = at + text.size();
  if (ended_ || (fin_at_ && end > *fin_at_)) {
    acknowledge_now_ = true;
    if (ended_ || at >= *fin_at_) return;
    text = text.first(fin_at_->since(at));
  }
  if (at < buffer_.next()) {
    const std::size_t old = std::min(buffer_.next().since(at), text.size());
    if (old > 0) {
      note_duplicate({at, at + old});
      acknowledge_now_ = true;
    }
    text = text.subspan(old);
    at += old;
  }
  if (at + text.size() > announced_end_) {
    // Nothing behind the window, and no FIN that would follow it.
    text = text.first(announced_end_ > at ? announced_end_.since(at) : 0);
    fin = false;
    acknowledge_now_ = true;
  }
  if (!text.empty()) store(now, at, text);
  const auto& held = buffer_.out_of_order().all();
  const bool beyond = !held.empty() && held.back().end > end;
  if (fin && !fin_at_ && !beyond && end >= buffer_.next()) fin_at_ = end;
  if (fin_at_ == buffer_.next() && !ended_) {
    ended_ = true;
    // The peer may have used the window to its end; the FIN counts too.
    announced_end_ = std::max(announced_end_, next());
    acknowledge_now_ = true;
  }
}

void TcpReceiver::store(Instant now, Sequence at, Bytes text) {
  peer_segment_bytes_ = std::max(peer_segment_bytes_, std::min(text.size(), mss_));
  const SequenceRange range{at, at + text.size()};
  if (at > buffer_.next()) {
    acknowledge_now_ = true;
    if (!sack_ && duplicates_owed_ < duplicates_owed_max) ++duplicates_owed_;
    const bool again = buffer_.out_of_order().contains(range);
    if (again) note_duplicate(range);
    if (!buffer_.insert(at, text)) return;
    note_recent(at);
    // What waits behind a hole would be read if it could be; the window must not stop a fast sender
    // until the hole is filled.
    if (again || buffer_.readable() > receive_window_.bytes() / 4) return;
    told_ahead_ += text.size();
    receive_window_.on_progress(now, text.size(), pool_->scarce());
    return;
  }
  const bool filled_hole = !buffer_.out_of_order().empty();
  const bool taken = buffer_.insert(at, text);
  if (buffer_.next() < range.end) withdrawn_ = acknowledge_now_ = true;
  if (!taken) return;
  on_in_order(now, text.size(), filled_hole);
}

void TcpReceiver::on_in_order(Instant now, std::size_t bytes, bool filled_hole) {
  unacknowledged_bytes_ += bytes;
  if (filled_hole || unacknowledged_bytes_ >= 2 * peer_segment_bytes_) {
    acknowledge_now_ = true;
  } else if (delayed_until_ == Instant::max()) {
    delayed_until_ = now + limits_->delayed_ack;
  }
}

// To a peer without SACK nothing can be said about it: the acknowledgment alone must do.
void TcpReceiver::note_duplicate(SequenceRange range) {
  if (sack_) duplicate_ = range;
}

void TcpReceiver::note_recent(Sequence at) {
  // Most recent first, one place for each range.
  const auto range = buffer_.out_of_order().find(at);
  std::array<Sequence, sack_blocks_max> places{at};
  std::uint8_t count = 1;
  for (std::uint8_t i = 0; i < recent_count_ && count < places.size(); ++i)
    if (!range || !range->contains(recent_[i])) places[count++] = recent_[i];
  recent_ = places;
  recent_count_ = count;
}

// ---- user ---------------------------------------------------------------------------------------

std::size_t TcpReceiver::read(Instant now, MutableBytes into) {
  const std::size_t count = buffer_.read(into);
  if (count == 0 || ended_) return count;
  const std::size_t told = std::min(count, told_ahead_);
  told_ahead_ -= told;
  receive_window_.on_progress(now, count - told, pool_->scarce());
  if (withdrawn_ && buffer_.readable() == 0) acknowledge_now_ = true;
  // Worth an acknowledgment of its own when the peer may be waiting for it.
  const Sequence goal = window_goal();
  const std::size_t advance = goal > announced_end_ ? goal.since(announced_end_) : 0;
  if (advance >= worthwhile_advance() && goal.since(next()) >= 2 * window())
    acknowledge_now_ = true;
  return count;
}

// ---- acknowledgments ----------------------------------------------------------------------------

Sequence TcpReceiver::window_goal() const {
  const Sequence read_to = buffer_.next() - buffer_.readable();
  return read_to + std::max(receive_window_.bytes(), buffer_.readable());
}

std::size_t TcpReceiver::worthwhile_advance() const {
  return std::min(mss_, receive_window_.bytes() / 2);
}

std::uint16_t TcpReceiver::announce() {
  const Sequence goal = window_goal();
  const std::size_t unit = std::size_t{1} << window_scale_;
  const std::size_t largest = std::size_t{std::numeric_limits<std::uint16_t>::max()};
  std::size_t units = 0;
  if (goal > announced_end_ && goal.since(announced_end_) >= worthwhile_advance())
    units = goal.since(next()) / unit;
  // Not less than was promised, so upwards when the promise is no whole number of units; but not so
  // for every small segment, or the window would never shut. Then the peer sees it shrink by less
  // than a unit, and what it sent before is taken all the same (RFC 7323 section 2.4).
  std::size_t promised = window() / unit;
  if (promised * unit < window() && next() + (promised + 1) * unit <= goal + unit) ++promised;
  units = std::min(std::max(units, promised), largest);
  withdrawn_ = withdrawn_ && pool_->nearly_used_up();
  if (withdrawn_) units = std::min(units, buffer_.readable() == 0 ? chunk_bytes / unit : 0);
  announced_end_ = std::max(announced_end_, next() + units * unit);
  return static_cast<std::uint16_t>(units);
}

std::uint16_t TcpReceiver::announce_unscaled() {
  const auto window = static_cast<std::uint16_t>(
      std::min<std::size_t>(receive_window_.bytes(), std::numeric_limits<std::uint16_t>::max()));
  announced_end_ = std::max(announced_end_, next() + window);
  return window;
}

void TcpReceiver::report(TcpOptions& options) {
  if (!sack_) return;
  const std::size_t room = tcp_options_bytes_max - tcp_options_bytes(options);
  const std::size_t blocks_max = room < 12 ? 0 : (room - 4) / 8;
  const auto add = [&](SequenceRange range) {
    if (options.sack_count < blocks_max) options.add_sack({range.begin.wire(), range.end.wire()});
  };
  const SequenceRanges& held = buffer_.out_of_order();
  if (duplicate_) {
    add(*duplicate_);
    // RFC 2883 section 4.2: within a larger block, that one comes next.
    if (held.find(duplicate_->begin)) note_recent(duplicate_->begin);
    duplicate_.reset();
  }
  std::uint8_t kept = 0;
  for (std::uint8_t i = 0; i < recent_count_; ++i) {
    const auto range = held.find(recent_[i]);
    if (!range) continue;
    bool repeated = false;
    for (std::uint8_t j = 0; j < kept; ++j) repeated |= range->contains(recent_[j]);
    if (repeated) continue;
    add(*range);
    recent_[kept++] = recent_[i];
  }
  recent_count_ = kept;
}

void TcpReceiver::on_acknowledgment_sent() {
  acknowledged_ = next();
  unacknowledged_bytes_ = 0;
  delayed_until_ = Instant::max();
  acknowledge_now_ = false;
  if (duplicates_owed_ > 0) --duplicates_owed_;
}

}  // namespace sidestream::tunnel
