#include "tunnel/chunk_ring.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace sidestream::tunnel {
namespace {

// An empty ring keeps no more slots than this, so that an idle connection is small.
constexpr std::size_t idle_slots_max = 8;

}  // namespace

std::size_t ChunkRing::reserve(SequenceRange range, ChunkPool::Need need) {
  if (range.empty()) return 0;
  const std::uint64_t last = index_of(range.end - 1);
  for (std::uint64_t index = index_of(range.begin); index <= last; ++index) {
    if (!make_chunk(index, chunk_count_ == 0 ? ChunkPool::Need::progress : need)) {
      const Sequence missing(index * chunk_bytes);
      return missing > range.begin ? missing.since(range.begin) : 0;
    }
  }
  return range.size();
}

bool ChunkRing::make_chunk(std::uint64_t index, ChunkPool::Need need) {
  if (first_ == end_) first_ = end_ = index;
  make_room(index);
  std::unique_ptr<Chunk>& slot = slots_[slot_of(index)];
  if (slot) return true;
  slot = pool_->take(need);
  if (!slot) return false;
  ++chunk_count_;
  first_ = std::min(first_, index);
  end_ = std::max(end_, index + 1);
  return true;
}

void ChunkRing::make_room(std::uint64_t index) {
  const std::uint64_t span = std::max(end_, index + 1) - std::min(first_, index);
  if (span <= slots_.size()) return;
  std::vector<std::unique_ptr<Chunk>> larger(std::max(std::bit_ceil(span), std::uint64_t{2}));
  for (std::uint64_t i = first_; i < end_; ++i)
    larger[static_cast<std::size_t>(i) & (larger.size() - 1)] = std::move(slots_[slot_of(i)]);
  slots_ = std::move(larger);
}

void ChunkRing::write(Sequence at, Bytes from) {
  while (!from.empty()) {
    const std::size_t offset = static_cast<std::size_t>(at.position() % chunk_bytes);
    const std::size_t count = std::min(from.size(), chunk_bytes - offset);
    std::memcpy(slots_[slot_of(index_of(at))]->data() + offset, from.data(), count);
    from = from.subspan(count);
    at += count;
  }
}

void ChunkRing::read(Sequence at, MutableBytes into) const {
  while (!into.empty()) {
    const std::size_t offset = static_cast<std::size_t>(at.position() % chunk_bytes);
    const std::size_t count = std::min(into.size(), chunk_bytes - offset);
    std::memcpy(into.data(), slots_[slot_of(index_of(at))]->data() + offset, count);
    into = into.subspan(count);
    at += count;
  }
}

void ChunkRing::drop_chunk(std::uint64_t index) {
  std::unique_ptr<Chunk>& slot = slots_[slot_of(index)];
  if (!slot) return;
  pool_->give_back(std::move(slot));
  --chunk_count_;
}

void ChunkRing::release_before(Sequence at) {
  const std::uint64_t keep = index_of(at);
  while (first_ < end_ && first_ < keep) drop_chunk(first_++);
  shrink();
}

void ChunkRing::release_from(Sequence at) {
  const std::uint64_t keep_end = at.position() == 0 ? 0 : index_of(at - 1) + 1;
  while (end_ > first_ && end_ > keep_end) drop_chunk(--end_);
  shrink();
}

void ChunkRing::clear() {
  while (first_ < end_) drop_chunk(first_++);
  shrink();
}

void ChunkRing::shrink() {
  if (first_ == end_ && slots_.size() > idle_slots_max) {
    slots_.clear();
    slots_.shrink_to_fit();
  }
}

}  // namespace sidestream::tunnel
