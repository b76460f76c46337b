#include "tunnel/sack_scoreboard.h"

#include <algorithm>
#include <utility>

namespace sidestream::tunnel {
namespace {

constexpr std::size_t slots_min = 4;
// An empty scoreboard keeps no more than this, so that an idle connection is small.
constexpr std::size_t idle_slots_max = 64;

}  // namespace

void SackScoreboard::on_sent(SequenceRange range, Instant now, const DeliveryMark& mark) {
  if (count_ == slots_.size()) grow();
  ++count_;
  SentSegment& segment = back();
  segment = SentSegment{.begin = range.begin, .end = range.end, .sent_at = now, .mark = mark};
  in_flight_bytes_ += segment.size();
  link_latest(segment);
}

void SackScoreboard::on_sent_again(SentSegment& segment, Instant now, const DeliveryMark& mark) {
  segment.sent_at = now;
  segment.mark = mark;
  segment.retransmitted_often = segment.retransmitted;
  segment.retransmitted = true;
  if (segment.sacked) return;
  if (segment.lost) {
    segment.lost = false;
    lost_bytes_ -= segment.size();
    in_flight_bytes_ += segment.size();
  } else {
    unlink(segment);
  }
  link_latest(segment);
}

void SackScoreboard::mark_lost(SentSegment& segment) {
  if (segment.sacked || segment.lost) return;
  unlink(segment);
  segment.lost = true;
  in_flight_bytes_ -= segment.size();
  lost_bytes_ += segment.size();
  lost_hint_ = std::min(lost_hint_, segment.begin);
}

void SackScoreboard::mark_longer_lost(std::size_t bytes) {
  SentSegment* segment = sent_first();
  while (segment != nullptr) {
    SentSegment* const later = sent_after(*segment);
    if (segment->size() > bytes) mark_lost(*segment);
    segment = later;
  }
}

bool SackScoreboard::mark_sacked(SentSegment& segment) {
  if (segment.sacked || !sacked_ranges_.contains({segment.begin, segment.end})) return false;
  if (!segment.lost) unlink(segment);
  count_out(segment, segment.size());
  segment.sacked = true;
  segment.lost = false;
  sacked_bytes_ += segment.size();
  ++sacked_count_;
  return true;
}

void SackScoreboard::count_out(SentSegment& segment, std::size_t bytes) {
  (segment.sacked ? sacked_bytes_ : segment.lost ? lost_bytes_ : in_flight_bytes_) -= bytes;
}

void SackScoreboard::pop_front() {
  SentSegment& segment = front();
  count_out(segment, segment.size());
  if (segment.sacked) {
    --sacked_count_;
  } else if (!segment.lost) {
    unlink(segment);
  }
  first_ = (first_ + 1) & (slots_.size() - 1);
  if (--count_ == 0) clear();
}

void SackScoreboard::trim_front(Sequence ack) {
  count_out(front(), ack.since(front().begin));
  front().begin = ack;
}

void SackScoreboard::forget_sacks() {
  sacked_ranges_.clear();
  for (std::size_t i = 0; i < count_; ++i) {
    SentSegment& segment = at(i);
    if (!segment.sacked) continue;
    segment.sacked = false;
    sacked_bytes_ -= segment.size();
    --sacked_count_;
    // Nobody knows when it left the network; it is as good as lost.
    segment.lost = true;
    lost_bytes_ += segment.size();
    lost_hint_ = std::min(lost_hint_, segment.begin);
  }
}

void SackScoreboard::forget_losses() {
  if (lost_bytes_ == 0) return;
  // What was found lost had been sent before what was not, by the nature of the finding.
  for (std::size_t i = count_; i-- > 0;) {
    SentSegment& segment = at(i);
    if (!segment.lost) continue;
    segment.lost = false;
    link_oldest(segment);
  }
  in_flight_bytes_ += lost_bytes_;
  lost_bytes_ = 0;
}

void SackScoreboard::clear() {
  first_ = count_ = 0;
  oldest_ = latest_ = none;
  in_flight_bytes_ = sacked_bytes_ = lost_bytes_ = sacked_count_ = 0;
  lost_hint_ = Sequence();
  sacked_ranges_.clear();
  if (slots_.size() > idle_slots_max) {
    slots_.clear();
    slots_.shrink_to_fit();
  }
}

SentSegment* SackScoreboard::first_lost() {
  if (lost_bytes_ == 0) return nullptr;
  for (std::size_t i = index_of(lost_hint_); i < count_; ++i) {
    if (!at(i).lost) continue;
    lost_hint_ = at(i).begin;
    return &at(i);
  }
  return nullptr;
}

std::size_t SackScoreboard::index_of(Sequence position) {
  std::size_t low = 0;
  std::size_t high = count_;
  while (low < high) {
    const std::size_t middle = (low + high) / 2;
    if (at(middle).end <= position) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

void SackScoreboard::link_latest(SentSegment& segment) {
  segment.earlier = latest_;
  segment.later = none;
  const std::uint32_t number = number_of(segment);
  if (latest_ == none) {
    oldest_ = number;
  } else {
    slots_[latest_].later = number;
  }
  latest_ = number;
}

void SackScoreboard::link_oldest(SentSegment& segment) {
  segment.earlier = none;
  segment.later = oldest_;
  const std::uint32_t number = number_of(segment);
  (oldest_ == none ? latest_ : slots_[oldest_].earlier) = number;
  oldest_ = number;
}

void SackScoreboard::unlink(SentSegment& segment) {
  (segment.earlier == none ? oldest_ : slots_[segment.earlier].later) = segment.later;
  (segment.later == none ? latest_ : slots_[segment.later].earlier) = segment.earlier;
}

void SackScoreboard::grow() {
  std::vector<SentSegment> larger(std::max(slots_.size() * 2, slots_min));
  const auto moved = [this](std::uint32_t number) {
    if (number == none) return none;
    return static_cast<std::uint32_t>((number - first_) & (slots_.size() - 1));
  };
  for (std::size_t i = 0; i < count_; ++i) {
    larger[i] = at(i);
    larger[i].earlier = moved(larger[i].earlier);
    larger[i].later = moved(larger[i].later);
  }
  oldest_ = moved(oldest_);
  latest_ = moved(latest_);
  slots_ = std::move(larger);
  first_ = 0;
}

void SackScoreboard::cut(std::size_t mss) {
  // Rare (the path got narrower), so it builds everything anew: pieces in sequence, and their
  // order of transmission that of the segments they come from.
  std::vector<SentSegment> pieces;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> pieces_of(slots_.size());
  for (std::size_t i = 0; i < count_; ++i) {
    const SentSegment& segment = at(i);
    const auto begin = static_cast<std::uint32_t>(pieces.size());
    for (Sequence from = segment.begin; from < segment.end; from += mss) {
      SentSegment piece = segment;
      piece.begin = from;
      piece.end = std::min(from + mss, segment.end);
      pieces.push_back(piece);
    }
    pieces_of[number_of(segment)] = {begin, static_cast<std::uint32_t>(pieces.size())};
  }
  std::vector<std::pair<std::uint32_t, std::uint32_t>> by_time;
  for (const SentSegment* s = sent_first(); s != nullptr; s = sent_after(*s))
    by_time.push_back(pieces_of[number_of(*s)]);
  sacked_count_ = static_cast<std::size_t>(
      std::ranges::count_if(pieces, [](const SentSegment& piece) { return piece.sacked; }));
  count_ = pieces.size();
  std::size_t capacity = slots_min;
  while (capacity < count_) capacity *= 2;
  pieces.resize(capacity);
  slots_ = std::move(pieces);
  first_ = 0;
  oldest_ = latest_ = none;
  for (const auto& [begin, end] : by_time)
    for (std::uint32_t number = begin; number < end; ++number) link_latest(slots_[number]);
}

}  // namespace sidestream::tunnel
