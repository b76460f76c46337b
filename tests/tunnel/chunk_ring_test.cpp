#include "tunnel/chunk_ring.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/seeded_random.h"

namespace sidestream::tunnel {
namespace {

constexpr std::uint64_t start = 0x1'0000'0000 + 12345;

TEST(ChunkRing, HoldsBytesAcrossChunks) {
  ChunkPool pool(100 * chunk_bytes);
  ChunkRing ring(pool);
  std::vector<std::uint8_t> text(3 * chunk_bytes);
  SeededRandom(1).fill(text);
  const SequenceRange range{Sequence(start), Sequence(start + text.size())};
  ASSERT_EQ(ring.reserve(range, ChunkPool::Need::ordinary), text.size());
  EXPECT_EQ(ring.memory_bytes(), 4 * chunk_bytes);
  ring.write(range.begin, text);
  std::vector<std::uint8_t> back(text.size());
  ring.read(range.begin, back);
  EXPECT_EQ(back, text);
  ring.release_before(range.begin + 2 * chunk_bytes);
  EXPECT_EQ(ring.memory_bytes(), 2 * chunk_bytes);
  ring.clear();
  EXPECT_EQ(pool.used_bytes(), 0U);
}

TEST(ChunkRing, MakesOnlyTheChunksThatAreWritten) {
  ChunkPool pool(100 * chunk_bytes);
  ChunkRing ring(pool);
  const Sequence far = Sequence(start + 50 * chunk_bytes);
  EXPECT_EQ(ring.reserve({far, far + 10}, ChunkPool::Need::spare), 10U);
  EXPECT_EQ(ring.reserve({Sequence(start), Sequence(start + 10)}, ChunkPool::Need::spare), 10U);
  EXPECT_EQ(ring.memory_bytes(), 2 * chunk_bytes);
  ring.release_from(Sequence(start + 10));
  EXPECT_EQ(ring.memory_bytes(), chunk_bytes);
}

TEST(ChunkRing, SaysHowMuchThereIsRoomFor) {
  ChunkPool pool(2 * chunk_bytes);
  ChunkRing ring(pool);
  const Sequence at(100 * chunk_bytes + 100);
  EXPECT_EQ(ring.reserve({at, at + 5 * chunk_bytes}, ChunkPool::Need::ordinary),
            2 * chunk_bytes - 100);
  EXPECT_EQ(ring.reserve({at + 2 * chunk_bytes, at + 3 * chunk_bytes}, ChunkPool::Need::ordinary),
            0U);
  EXPECT_EQ(ring.reserve({at, at}, ChunkPool::Need::ordinary), 0U);
}

TEST(ChunkRing, AnEmptyOneAlwaysGetsItsFirst) {
  ChunkPool pool(0);
  ChunkRing one(pool);
  ChunkRing two(pool);
  const SequenceRange range{Sequence(start), Sequence(start + 10)};
  EXPECT_EQ(one.reserve(range, ChunkPool::Need::spare), 10U);
  EXPECT_EQ(two.reserve(range, ChunkPool::Need::spare), 10U);
}

// Against one long row of bytes.
TEST(ChunkRing, BehavesLikeASlowOne) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    SeededRandom random(seed);
    ChunkPool pool(1000 * chunk_bytes);
    ChunkRing ring(pool);
    std::vector<std::uint8_t> model(200 * chunk_bytes);
    std::vector<std::uint8_t> text(3000);
    std::size_t begin = 0;
    std::size_t end = 0;
    while (begin + 20 * chunk_bytes + text.size() < model.size()) {
      // What is written is read back later, in any order and any pieces.
      const std::size_t at = begin + random.below(10 * chunk_bytes);
      const std::size_t count = 1 + random.below(3000);
      random.fill(MutableBytes(text).first(count));
      const SequenceRange range{Sequence(start + at), Sequence(start + at + count)};
      ASSERT_EQ(ring.reserve(range, ChunkPool::Need::ordinary), count);
      ring.write(range.begin, Bytes(text).first(count));
      std::copy_n(text.begin(), count, model.begin() + static_cast<std::ptrdiff_t>(at));
      end = std::max(end, at + count);
      ring.read(range.begin, MutableBytes(text).first(count));
      ASSERT_TRUE(std::equal(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(count),
                             model.begin() + static_cast<std::ptrdiff_t>(at)));
      const std::size_t until = at + count;
      if (random.chance(0.3)) {
        begin = std::min(at, begin + random.below(2 * chunk_bytes));
        ring.release_before(Sequence(start + begin));
      }
      if (random.chance(0.05)) ring.release_from(Sequence(start + until));
      ring.read(range.begin, MutableBytes(text).first(count));
      ASSERT_TRUE(std::equal(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(count),
                             model.begin() + static_cast<std::ptrdiff_t>(at)));
      begin += random.below(1000);
    }
    ring.clear();
    EXPECT_EQ(pool.used_bytes(), 0U);
  }
}

}  // namespace
}  // namespace sidestream::tunnel
