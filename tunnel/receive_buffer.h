// Reassembly: bytes that arrived, each at its place, and which of them can be read.
#pragma once

#include "streams/bytes.h"
#include "tunnel/chunk_ring.h"
#include "tunnel/sequence_ranges.h"

namespace sidestream::tunnel {

class ReceiveBuffer {
 public:
  // `pool` must outlive the buffer.
  ReceiveBuffer(ChunkPool& pool, std::size_t out_of_order_ranges_max)
      : ring_(pool), out_of_order_(out_of_order_ranges_max) {}

  // The number of the first byte; before anything else.
  void start(Sequence first) { begin_ = next_ = first; }

  // Stores bytes that begin at `at` >= next(). False when nothing was stored, for want of memory
  // or because there are too many holes; what is in order may be stored in part.
  bool insert(Sequence at, Bytes from);
  std::size_t read(MutableBytes into);
  // Forgets all that can not be read yet; the peer will send it again.
  void drop_out_of_order();
  void clear();

  // The first byte that is missing (RCV.NXT as far as data goes).
  [[nodiscard]] Sequence next() const { return next_; }
  [[nodiscard]] std::size_t readable() const { return next_.since(begin_); }
  [[nodiscard]] const SequenceRanges& out_of_order() const { return out_of_order_; }
  [[nodiscard]] std::size_t memory_bytes() const { return ring_.memory_bytes(); }

 private:
  ChunkRing ring_;
  Sequence begin_;  // the next byte to be read
  Sequence next_;
  SequenceRanges out_of_order_;
};

}  // namespace sidestream::tunnel
