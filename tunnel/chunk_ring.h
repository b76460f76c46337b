// Bytes of one direction of a connection, addressed by their sequence number and held in chunks
// that exist only where something was written: the room behind both the send and the receive
// buffer. Which bytes are there is known by the owner, not here.
#pragma once

#include <memory>
#include <vector>

#include "streams/bytes.h"
#include "tunnel/chunk_pool.h"
#include "tunnel/tcp_seq.h"

namespace sidestream::tunnel {

class ChunkRing {
 public:
  // `pool` must outlive the ring.
  explicit ChunkRing(ChunkPool& pool) : pool_(&pool) {}
  ~ChunkRing() { clear(); }
  ChunkRing(const ChunkRing&) = delete;
  ChunkRing& operator=(const ChunkRing&) = delete;

  // Makes chunks for `range`, which does not begin before what was released. Returns how many of
  // its first bytes can be written now. A ring without any chunk always gets its first one.
  std::size_t reserve(SequenceRange range, ChunkPool::Need need);
  // Only where it was reserved.
  void write(Sequence at, Bytes from);
  void read(Sequence at, MutableBytes into) const;
  // Gives back every chunk that lies wholly before `at`.
  void release_before(Sequence at);
  // Gives back every chunk that lies wholly at or behind `at`.
  void release_from(Sequence at);
  void clear();

  [[nodiscard]] std::size_t memory_bytes() const { return chunk_count_ * chunk_bytes; }

 private:
  static std::uint64_t index_of(Sequence at) { return at.position() / chunk_bytes; }
  [[nodiscard]] std::size_t slot_of(std::uint64_t index) const {
    return static_cast<std::size_t>(index) & (slots_.size() - 1);
  }
  bool make_chunk(std::uint64_t index, ChunkPool::Need need);
  void drop_chunk(std::uint64_t index);
  void make_room(std::uint64_t index);
  void shrink();

  ChunkPool* pool_;
  // Chunk number i is in slot i mod size (a power of two); live ones are in [first_, end_).
  std::vector<std::unique_ptr<Chunk>> slots_;
  std::uint64_t first_ = 0;
  std::uint64_t end_ = 0;
  std::size_t chunk_count_ = 0;
};

}  // namespace sidestream::tunnel
