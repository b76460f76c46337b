#include "tunnel/receive_buffer.h"

#include <gtest/gtest.h>

#include <vector>

#include "tests/support/seeded_random.h"

namespace sidestream::tunnel {
namespace {

std::vector<std::uint8_t> text_at(std::uint64_t position, std::size_t bytes) {
  std::vector<std::uint8_t> text(bytes);
  for (std::size_t i = 0; i < bytes; ++i)
    text[i] = static_cast<std::uint8_t>((position + i) * 0x9e3779b97f4a7c15U >> 56U);
  return text;
}

TEST(ReceiveBuffer, PutsTogetherWhatArrivesInAnyOrder) {
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    SeededRandom random(seed);
    ChunkPool pool(100 * chunk_bytes);
    ReceiveBuffer buffer(pool, 1000);
    const Sequence start = Sequence::initial(random.u32());
    buffer.start(start);
    std::uint64_t read = 0;
    const std::uint64_t total = 100'000;
    while (read < total) {
      const std::uint64_t done = buffer.next().since(start);
      const std::uint64_t at =
          done + (random.chance(0.3)
                      ? 0
                      : random.below(static_cast<std::uint32_t>(
                                         std::min<std::uint64_t>(total - done, 30'000)) +
                                     1));
      const auto bytes = std::min<std::uint64_t>(1 + random.below(3000), total - at);
      if (bytes > 0) {
        ASSERT_TRUE(buffer.insert(start + at, text_at(at, bytes)));
      }
      if (bytes > 0 && !random.chance(0.3)) continue;
      std::vector<std::uint8_t> into(random.below(20'000));
      const std::size_t count = buffer.read(into);
      into.resize(count);
      ASSERT_EQ(into, text_at(read, count));
      read += count;
    }
    EXPECT_EQ(pool.used_bytes(), 0U);
  }
}

TEST(ReceiveBuffer, TellsWhatIsMissing) {
  ChunkPool pool(100 * chunk_bytes);
  ReceiveBuffer buffer(pool, 10);
  buffer.start(Sequence(1000));
  EXPECT_TRUE(buffer.insert(Sequence(1500), text_at(0, 100)));
  EXPECT_EQ(buffer.next(), Sequence(1000));
  EXPECT_EQ(buffer.readable(), 0U);
  EXPECT_EQ(buffer.out_of_order().all().size(), 1U);
  EXPECT_TRUE(buffer.insert(Sequence(1000), text_at(0, 500)));
  EXPECT_EQ(buffer.next(), Sequence(1600));
  EXPECT_EQ(buffer.readable(), 600U);
  EXPECT_TRUE(buffer.out_of_order().empty());
}

TEST(ReceiveBuffer, GivesUpWhatIsOutOfOrderWhenMemoryIsShort) {
  ChunkPool pool(8 * chunk_bytes);
  ReceiveBuffer buffer(pool, 10);
  buffer.start(Sequence(0));
  const auto chunk = text_at(0, chunk_bytes);
  for (std::uint64_t i = 1; i < 8; ++i)
    EXPECT_TRUE(buffer.insert(Sequence(i * chunk_bytes), chunk));
  EXPECT_FALSE(buffer.insert(Sequence(9 * chunk_bytes), chunk));
  EXPECT_TRUE(buffer.insert(Sequence(0), text_at(0, 10)));
  EXPECT_EQ(buffer.readable(), 10U);
  auto other = pool.take(ChunkPool::Need::progress);  // somebody else
  // A megabyte in order does not fit; what waits behind holes goes, and as much as can be is taken.
  EXPECT_TRUE(buffer.insert(Sequence(10), text_at(0, 100 * chunk_bytes)));
  EXPECT_TRUE(buffer.out_of_order().empty());
  EXPECT_EQ(buffer.readable(), 7 * chunk_bytes);
  EXPECT_FALSE(buffer.insert(buffer.next(), chunk));
  pool.give_back(std::move(other));
}

TEST(ReceiveBuffer, AnEmptyReaderAlwaysGetsSomething) {
  ChunkPool pool(0);
  ReceiveBuffer buffer(pool, 10);
  buffer.start(Sequence(0));
  EXPECT_TRUE(buffer.insert(Sequence(5000), text_at(0, 10)));
  EXPECT_TRUE(buffer.insert(Sequence(0), text_at(0, 5000)));
  EXPECT_EQ(buffer.readable(), 5010U);
}

TEST(ReceiveBuffer, HoldsNothingWhenAllIsRead) {
  ChunkPool pool(100 * chunk_bytes);
  ReceiveBuffer buffer(pool, 10);
  buffer.start(Sequence(0));
  buffer.insert(Sequence(0), text_at(0, 100));
  EXPECT_EQ(buffer.memory_bytes(), chunk_bytes);
  std::vector<std::uint8_t> into(100);
  buffer.read(into);
  EXPECT_EQ(buffer.memory_bytes(), 0U);
}

}  // namespace
}  // namespace sidestream::tunnel
