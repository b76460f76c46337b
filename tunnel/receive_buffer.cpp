#include "tunnel/receive_buffer.h"

#include <algorithm>

namespace sidestream::tunnel {

bool ReceiveBuffer::insert(Sequence at, Bytes from) {
  const SequenceRange range{at, at + from.size()};
  if (at > next_) {
    if (ring_.reserve(range, ChunkPool::Need::spare) < from.size() || !out_of_order_.add(range))
      return false;
    ring_.write(at, from);
    return true;
  }
  // In order: when memory is short, what waits behind holes makes room for what can be read, and a
  // reader that has nothing always gets something.
  const auto need = readable() == 0 ? ChunkPool::Need::progress : ChunkPool::Need::ordinary;
  std::size_t room = ring_.reserve(range, need);
  if (room < from.size() && !out_of_order_.empty()) {
    drop_out_of_order();
    room = ring_.reserve(range, need);
  }
  if (room == 0) return false;
  ring_.write(at, from.first(room));
  next_ += room;
  if (const auto joined = out_of_order_.find(next_)) next_ = joined->end;
  out_of_order_.remove_before(next_);
  return true;
}

std::size_t ReceiveBuffer::read(MutableBytes into) {
  const std::size_t count = std::min(into.size(), readable());
  ring_.read(begin_, into.first(count));
  begin_ += count;
  if (begin_ == next_ && out_of_order_.empty()) {
    ring_.clear();
  } else {
    ring_.release_before(begin_);
  }
  return count;
}

void ReceiveBuffer::drop_out_of_order() {
  out_of_order_.clear();
  ring_.release_from(next_);
}

void ReceiveBuffer::clear() {
  out_of_order_.clear();
  ring_.clear();
  begin_ = next_;
}

}  // namespace sidestream::tunnel
