#include "tunnel/chunk_pool.h"

namespace sidestream::tunnel {
namespace {

constexpr std::size_t free_chunks_max = 256;  // 2 MiB

}  // namespace

std::unique_ptr<Chunk> ChunkPool::take(Need need) {
  const std::size_t allowed = need == Need::spare ? used_max_ - used_max_ / 8 : used_max_;
  if (need != Need::progress && used_ >= allowed) return nullptr;
  ++used_;
  if (free_.empty()) return std::make_unique_for_overwrite<Chunk>();
  std::unique_ptr<Chunk> chunk = std::move(free_.back());
  free_.pop_back();
  return chunk;
}

void ChunkPool::give_back(std::unique_ptr<Chunk> chunk) {
  if (!chunk) return;
  --used_;
  if (free_.size() < free_chunks_max) free_.push_back(std::move(chunk));
}

}  // namespace sidestream::tunnel
