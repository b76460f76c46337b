// What the sender knows about every segment that is not acknowledged cumulatively: when it was
// sent last, whether the peer has it (SACK, RFC 2018), whether it is lost. It counts the bytes in
// flight (the "pipe" of RFC 6675) and keeps two orders: by sequence, and by time of transmission,
// which RACK walks (RFC 8985). It decides nothing.
#pragma once

#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "streams/time.h"
#include "tunnel/delivery_rate.h"
#include "tunnel/sequence_ranges.h"
#include "tunnel/tcp_seq.h"

namespace sidestream::tunnel {

struct SentSegment {
  Sequence begin;
  Sequence end;  // a FIN counts
  Instant sent_at;
  std::uint32_t earlier = 0;  // neighbours in the order of transmission (slots)
  std::uint32_t later = 0;
  bool sacked = false;
  bool lost = false;  // and not sent again yet
  bool retransmitted = false;
  bool retransmitted_often = false;
  DeliveryMark mark{};  // of the last transmission

  [[nodiscard]] std::size_t size() const { return end.since(begin); }
};

class SackScoreboard {
 public:
  explicit SackScoreboard(std::size_t sack_ranges_max) : sacked_ranges_(sack_ranges_max) {}

  // ---- what happened ------------------------------------------------------------------------
  // New data went out; `range` begins where the last one ended.
  void on_sent(SequenceRange range, Instant now, const DeliveryMark& mark = {});
  // A segment of the scoreboard went out again.
  void on_sent_again(SentSegment& segment, Instant now, const DeliveryMark& mark = {});
  // The cumulative acknowledgment is now `ack`. `visit` sees each segment that it covers and that
  // was not sacked before, in sequence; one that it covers in part is cut and not seen.
  template <typename Visitor>
  void acknowledge(Sequence ack, Visitor visit);
  // The peer has `range`. `visit` sees each segment that is wholly covered now and was not before.
  template <typename Visitor>
  void sack(SequenceRange range, Visitor visit);
  void mark_lost(SentSegment& segment);
  // Each in flight that is longer than `bytes`.
  void mark_longer_lost(std::size_t bytes);
  // Nothing was lost after all: what was marked and not sent again is in flight.
  void forget_losses();
  // The peer took back what it had sacked (RFC 2018 section 8), or could have.
  void forget_sacks();
  // Cuts every segment that is longer than `mss`.
  void cut(std::size_t mss);
  void clear();

  // ---- what is known ------------------------------------------------------------------------
  [[nodiscard]] bool empty() const { return count_ == 0; }
  [[nodiscard]] std::size_t count() const { return count_; }
  [[nodiscard]] std::size_t in_flight_bytes() const { return in_flight_bytes_; }
  [[nodiscard]] std::size_t sacked_bytes() const { return sacked_bytes_; }
  [[nodiscard]] std::size_t lost_bytes() const { return lost_bytes_; }
  [[nodiscard]] std::size_t sacked_count() const { return sacked_count_; }
  [[nodiscard]] const SequenceRanges& sacked_ranges() const { return sacked_ranges_; }
  [[nodiscard]] SentSegment& front() { return slots_[first_]; }
  [[nodiscard]] SentSegment& back() { return at(count_ - 1); }
  // The lost segment with the smallest sequence number; null: none.
  [[nodiscard]] SentSegment* first_lost();
  // The segment in flight that was sent first, and the one sent after `segment`; null: none.
  [[nodiscard]] SentSegment* sent_first() { return slot(oldest_); }
  [[nodiscard]] SentSegment* sent_after(const SentSegment& segment) { return slot(segment.later); }

 private:
  static constexpr std::uint32_t none = std::numeric_limits<std::uint32_t>::max();

  [[nodiscard]] SentSegment& at(std::size_t index) {
    return slots_[(first_ + index) & (slots_.size() - 1)];
  }
  [[nodiscard]] SentSegment* slot(std::uint32_t number) {
    return number == none ? nullptr : &slots_[number];
  }
  [[nodiscard]] std::uint32_t number_of(const SentSegment& segment) const {
    return static_cast<std::uint32_t>(&segment - slots_.data());
  }
  // The index of the first segment that ends behind `position`.
  [[nodiscard]] std::size_t index_of(Sequence position);
  void grow();
  void link_latest(SentSegment& segment);
  void link_oldest(SentSegment& segment);
  void unlink(SentSegment& segment);
  void count_out(SentSegment& segment, std::size_t bytes);
  bool mark_sacked(SentSegment& segment);
  void pop_front();
  void trim_front(Sequence ack);

  // A ring of a power of two slots; segments stay in their slot, so links are slot numbers.
  std::vector<SentSegment> slots_;
  std::size_t first_ = 0;
  std::size_t count_ = 0;
  // Segments in flight (neither sacked nor lost) are linked by time of transmission.
  std::uint32_t oldest_ = none;
  std::uint32_t latest_ = none;
  SequenceRanges sacked_ranges_;
  std::size_t in_flight_bytes_ = 0;
  std::size_t sacked_bytes_ = 0;
  std::size_t lost_bytes_ = 0;
  std::size_t sacked_count_ = 0;
  Sequence lost_hint_;  // nothing before it is lost
};

template <typename Visitor>
void SackScoreboard::acknowledge(Sequence ack, Visitor visit) {
  while (count_ != 0 && front().end <= ack) {
    SentSegment& segment = front();
    if (!segment.sacked) visit(std::as_const(segment));
    pop_front();
  }
  if (count_ != 0 && front().begin < ack) trim_front(ack);
  sacked_ranges_.remove_before(ack);
}

template <typename Visitor>
void SackScoreboard::sack(SequenceRange range, Visitor visit) {
  // Only what is new is walked: a peer repeats its blocks in every acknowledgment.
  while (const auto gap = sacked_ranges_.first_gap(range)) {
    if (!sacked_ranges_.add(*gap)) return;
    for (std::size_t i = index_of(gap->begin); i < count_ && at(i).begin < gap->end; ++i) {
      SentSegment& segment = at(i);
      if (mark_sacked(segment)) visit(std::as_const(segment));
    }
    range.begin = gap->end;
  }
}

}  // namespace sidestream::tunnel
