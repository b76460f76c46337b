#include "tunnel/chunk_pool.h"

#include <gtest/gtest.h>

namespace sidestream::tunnel {
namespace {

TEST(ChunkPool, GivesByNeed) {
  ChunkPool pool(16 * chunk_bytes);
  std::vector<std::unique_ptr<Chunk>> held;
  for (int i = 0; i < 14; ++i) held.push_back(pool.take(ChunkPool::Need::spare));
  EXPECT_TRUE(held.back());
  EXPECT_TRUE(pool.scarce());
  EXPECT_FALSE(pool.take(ChunkPool::Need::spare));
  for (int i = 0; i < 2; ++i) held.push_back(pool.take(ChunkPool::Need::ordinary));
  EXPECT_TRUE(held.back());
  EXPECT_FALSE(pool.take(ChunkPool::Need::ordinary));
  held.push_back(pool.take(ChunkPool::Need::progress));
  EXPECT_TRUE(held.back());
  EXPECT_EQ(pool.used_bytes(), 17 * chunk_bytes);
  for (auto& chunk : held) pool.give_back(std::move(chunk));
  EXPECT_EQ(pool.used_bytes(), 0U);
  EXPECT_FALSE(pool.scarce());
}

TEST(ChunkPool, UsesChunksAgain) {
  ChunkPool pool(16 * chunk_bytes);
  auto chunk = pool.take(ChunkPool::Need::ordinary);
  const Chunk* const place = chunk.get();
  pool.give_back(std::move(chunk));
  EXPECT_EQ(pool.take(ChunkPool::Need::ordinary).get(), place);
}

TEST(ChunkPool, TakesNothingBackFromNobody) {
  ChunkPool pool(16 * chunk_bytes);
  pool.give_back(nullptr);
  EXPECT_EQ(pool.used_bytes(), 0U);
}

}  // namespace
}  // namespace sidestream::tunnel
