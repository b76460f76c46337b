// A set of sequence numbers as sorted ranges that neither touch nor overlap, bounded in number.
// What arrived out of order at a receiver; what was acknowledged selectively at a sender.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "tunnel/tcp_seq.h"

namespace sidestream::tunnel {

class SequenceRanges {
 public:
  explicit SequenceRanges(std::size_t ranges_max) : ranges_max_(ranges_max) {}

  // False, and nothing changed, when there would be one range too many.
  bool add(SequenceRange range);
  void remove_before(Sequence at);
  void clear();

  [[nodiscard]] bool empty() const { return ranges_.empty(); }
  [[nodiscard]] std::span<const SequenceRange> all() const { return ranges_; }
  [[nodiscard]] bool contains(SequenceRange range) const;
  // The range that `at` is in.
  [[nodiscard]] std::optional<SequenceRange> find(Sequence at) const;
  // The first part of `within` that is not in the set.
  [[nodiscard]] std::optional<SequenceRange> first_gap(SequenceRange within) const;

 private:
  // The first range that ends at or behind `at`.
  [[nodiscard]] std::size_t lower(Sequence at) const;

  std::size_t ranges_max_;
  std::vector<SequenceRange> ranges_;
};

}  // namespace sidestream::tunnel
