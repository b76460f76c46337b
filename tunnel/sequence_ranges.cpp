#include "tunnel/sequence_ranges.h"

#include <algorithm>

namespace sidestream::tunnel {
namespace {

constexpr std::size_t idle_ranges_max = 8;

}  // namespace

std::size_t SequenceRanges::lower(Sequence at) const {
  return static_cast<std::size_t>(std::ranges::lower_bound(ranges_, at, {}, &SequenceRange::end) -
                                  ranges_.begin());
}

bool SequenceRanges::add(SequenceRange range) {
  if (range.empty()) return true;
  const std::size_t first = lower(range.begin);
  std::size_t last = first;  // one behind those that touch the new one
  while (last < ranges_.size() && ranges_[last].begin <= range.end) ++last;
  if (first == last) {
    if (ranges_.size() >= ranges_max_) return false;
    ranges_.insert(ranges_.begin() + static_cast<std::ptrdiff_t>(first), range);
    return true;
  }
  ranges_[first].end = std::max(ranges_[last - 1].end, range.end);
  ranges_[first].begin = std::min(ranges_[first].begin, range.begin);
  ranges_.erase(ranges_.begin() + static_cast<std::ptrdiff_t>(first) + 1,
                ranges_.begin() + static_cast<std::ptrdiff_t>(last));
  return true;
}

void SequenceRanges::remove_before(Sequence at) {
  std::size_t gone = 0;
  while (gone < ranges_.size() && ranges_[gone].end <= at) ++gone;
  ranges_.erase(ranges_.begin(), ranges_.begin() + static_cast<std::ptrdiff_t>(gone));
  if (ranges_.empty()) {
    clear();
  } else if (ranges_.front().begin < at) {
    ranges_.front().begin = at;
  }
}

void SequenceRanges::clear() {
  ranges_.clear();
  if (ranges_.capacity() > idle_ranges_max) ranges_.shrink_to_fit();
}

bool SequenceRanges::contains(SequenceRange range) const {
  const std::size_t at = lower(range.end);
  return at < ranges_.size() && ranges_[at].begin <= range.begin;
}

std::optional<SequenceRange> SequenceRanges::find(Sequence at) const {
  const std::size_t index = lower(at + 1);
  if (index == ranges_.size() || !ranges_[index].contains(at)) return std::nullopt;
  return ranges_[index];
}

std::optional<SequenceRange> SequenceRanges::first_gap(SequenceRange within) const {
  if (within.empty()) return std::nullopt;
  std::size_t index = lower(within.begin + 1);
  if (index < ranges_.size() && ranges_[index].begin <= within.begin)
    within.begin = ranges_[index++].end;
  if (index < ranges_.size()) within.end = std::min(within.end, ranges_[index].begin);
  if (within.empty()) return std::nullopt;
  return within;
}

}  // namespace sidestream::tunnel
