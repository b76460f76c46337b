// The bytes that were written and are not acknowledged yet, by sequence number.
#pragma once

#include "streams/bytes.h"
#include "tunnel/chunk_ring.h"

namespace sidestream::tunnel {

class SendBuffer {
 public:
  // `pool` must outlive the buffer.
  explicit SendBuffer(ChunkPool& pool) : ring_(pool) {}

  // The number of the first byte; before anything else.
  void start(Sequence first) { begin_ = end_ = first; }

  // Returns how many bytes there was memory for.
  std::size_t append(Bytes from) {
    const std::size_t room = ring_.reserve({end_, end_ + from.size()}, ChunkPool::Need::ordinary);
    ring_.write(end_, from.first(room));
    end_ += room;
    return room;
  }
  void read(Sequence at, MutableBytes into) const { ring_.read(at, into); }
  // Forgets what is acknowledged.
  void release_before(Sequence at) {
    begin_ = at;
    if (begin_ == end_) {
      ring_.clear();
    } else {
      ring_.release_before(begin_);
    }
  }
  void clear() {
    ring_.clear();
    begin_ = end_;
  }

  [[nodiscard]] Sequence end() const { return end_; }
  [[nodiscard]] std::size_t size() const { return end_.since(begin_); }

 private:
  ChunkRing ring_;
  Sequence begin_;
  Sequence end_;
};

}  // namespace sidestream::tunnel
