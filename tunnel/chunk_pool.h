// Memory for the buffers of all connections: chunks of one size, counted against one budget. A
// few free chunks are kept, so that traffic in full swing allocates nothing.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "tunnel/tcp_limits.h"

namespace sidestream::tunnel {

using Chunk = std::array<std::uint8_t, chunk_bytes>;

class ChunkPool {
 public:
  explicit ChunkPool(std::size_t memory_bytes_max) : used_max_(memory_bytes_max / chunk_bytes) {}

  // How urgently memory is wanted. Each kind leaves something for those above it.
  enum class Need {
    spare,     // data out of order, which the peer would send again: up to 7/8 of the budget
    ordinary,  // up to the budget
    progress,  // the only chunk of its buffer: always
  };
  // Null when the budget does not allow it.
  std::unique_ptr<Chunk> take(Need need);
  void give_back(std::unique_ptr<Chunk> chunk);

  // Windows stop growing from here on.
  [[nodiscard]] bool scarce() const { return used_ > used_max_ / 2; }
  // So little is left that nothing out of order is taken any more.
  [[nodiscard]] bool nearly_used_up() const { return used_ > used_max_ / 8 * 7; }
  [[nodiscard]] std::size_t used_bytes() const { return used_ * chunk_bytes; }

 private:
  std::size_t used_max_;
  std::size_t used_ = 0;
  std::vector<std::unique_ptr<Chunk>> free_;
};

}  // namespace sidestream::tunnel
