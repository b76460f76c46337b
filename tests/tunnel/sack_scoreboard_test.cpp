#include "tunnel/sack_scoreboard.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "tests/support/seeded_random.h"

namespace sidestream::tunnel {
namespace {

SequenceRange range(std::uint64_t begin, std::uint64_t end) {
  return {Sequence(begin), Sequence(end)};
}

void nothing(const SentSegment& /*segment*/) {}

TEST(SackScoreboard, CountsWhatIsInFlight) {
  SackScoreboard board(100);
  for (std::uint64_t at = 0; at < 5000; at += 1000) board.on_sent(range(at, at + 1000), Instant());
  EXPECT_EQ(board.in_flight_bytes(), 5000U);
  std::vector<std::uint64_t> seen;
  const auto note = [&](const SentSegment& segment) { seen.push_back(segment.begin.position()); };
  board.sack(range(2000, 4000), note);
  EXPECT_EQ(seen, (std::vector<std::uint64_t>{2000, 3000}));
  board.sack(range(2000, 4000), note);
  EXPECT_EQ(seen.size(), 2U);  // once
  EXPECT_EQ(board.in_flight_bytes(), 3000U);
  EXPECT_EQ(board.sacked_bytes(), 2000U);
  EXPECT_EQ(board.sacked_count(), 2U);
  board.mark_lost(board.front());
  EXPECT_EQ(board.lost_bytes(), 1000U);
  EXPECT_EQ(board.in_flight_bytes(), 2000U);
  seen.clear();
  board.acknowledge(Sequence(3500), note);
  EXPECT_EQ(seen, (std::vector<std::uint64_t>{0, 1000}));  // not those that were sacked before
  EXPECT_EQ(board.sacked_bytes(), 500U);
  EXPECT_EQ(board.lost_bytes(), 0U);
  EXPECT_EQ(board.in_flight_bytes(), 1000U);
  board.acknowledge(Sequence(5000), note);
  EXPECT_TRUE(board.empty());
  EXPECT_EQ(board.in_flight_bytes(), 0U);
}

TEST(SackScoreboard, TakesASegmentForArrivedOnlyWhole) {
  SackScoreboard board(100);
  board.on_sent(range(0, 1000), Instant());
  board.on_sent(range(1000, 2000), Instant());
  board.sack(range(500, 1500), nothing);
  EXPECT_EQ(board.sacked_count(), 0U);
  board.sack(range(1500, 2000), nothing);
  EXPECT_EQ(board.sacked_count(), 1U);
  board.sack(range(0, 500), nothing);
  EXPECT_EQ(board.sacked_count(), 2U);
}

TEST(SackScoreboard, KeepsTheOrderOfTransmission) {
  SackScoreboard board(100);
  for (std::uint64_t at = 0; at < 4000; at += 1000)
    board.on_sent(range(at, at + 1000), Instant(Duration(at)));
  board.mark_lost(board.front());
  EXPECT_EQ(board.sent_first()->begin, Sequence(1000));
  EXPECT_EQ(board.first_lost(), &board.front());
  board.on_sent_again(board.front(), Instant(5us));
  EXPECT_EQ(board.first_lost(), nullptr);
  std::vector<std::uint64_t> order;
  for (const SentSegment* s = board.sent_first(); s != nullptr; s = board.sent_after(*s))
    order.push_back(s->begin.position());
  EXPECT_EQ(order, (std::vector<std::uint64_t>{1000, 2000, 3000, 0}));
}

TEST(SackScoreboard, ForgetsSacksAndLosses) {
  SackScoreboard board(100);
  for (std::uint64_t at = 0; at < 4000; at += 1000)
    board.on_sent(range(at, at + 1000), Instant(Duration(at)));
  board.sack(range(2000, 3000), nothing);
  board.mark_lost(board.front());
  board.forget_losses();
  EXPECT_EQ(board.lost_bytes(), 0U);
  EXPECT_EQ(board.in_flight_bytes(), 3000U);
  EXPECT_EQ(board.sent_first(), &board.front());
  board.forget_sacks();
  EXPECT_EQ(board.sacked_bytes(), 0U);
  EXPECT_EQ(board.lost_bytes(), 1000U);  // nobody knows when it was sent last
  EXPECT_EQ(board.first_lost()->begin, Sequence(2000));
}

TEST(SackScoreboard, CutsSegments) {
  SackScoreboard board(100);
  board.on_sent(range(0, 1000), Instant(1us));
  board.on_sent(range(1000, 2500), Instant(2us));
  board.sack(range(1000, 2500), nothing);
  board.on_sent(range(2500, 3000), Instant(3us));
  board.mark_lost(board.front());
  board.on_sent_again(board.front(), Instant(4us));
  board.cut(600);
  EXPECT_EQ(board.count(), 6U);
  EXPECT_EQ(board.sacked_count(), 3U);
  EXPECT_EQ(board.sacked_bytes(), 1500U);
  EXPECT_EQ(board.in_flight_bytes(), 1500U);
  std::vector<std::uint64_t> order;
  for (const SentSegment* s = board.sent_first(); s != nullptr; s = board.sent_after(*s))
    order.push_back(s->begin.position());
  EXPECT_EQ(order, (std::vector<std::uint64_t>{2500, 0, 600}));
  board.acknowledge(Sequence(3000), nothing);
  EXPECT_TRUE(board.empty());
}

// Against plain recounting.
TEST(SackScoreboard, ItsCountsAreAlwaysRight) {
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    SeededRandom random(seed);
    SackScoreboard board(1 + random.below(50));
    std::uint64_t acknowledged = 1000;
    std::uint64_t next = 1000;
    Instant now{1s};
    for (int step = 0; step < 200; ++step) {
      now += 1us;
      const std::uint32_t outstanding = static_cast<std::uint32_t>(next - acknowledged);
      switch (random.below(8)) {
        case 0:
        case 1: {
          const std::uint64_t size = 1 + random.below(100);
          board.on_sent(range(next, next + size), now);
          next += size;
          break;
        }
        case 2: {
          const std::uint64_t begin = acknowledged + random.below(outstanding + 1);
          const std::uint64_t end = begin + random.below(300);
          board.sack(range(begin, std::min(end, next)), nothing);
          break;
        }
        case 3:
          acknowledged += random.below(outstanding / 2 + 1);
          board.acknowledge(Sequence(acknowledged), nothing);
          break;
        case 4:
          if (SentSegment* const segment = board.sent_first()) board.mark_lost(*segment);
          break;
        case 5:
          if (SentSegment* const segment = board.first_lost()) board.on_sent_again(*segment, now);
          break;
        case 6:
          if (random.chance(0.1)) board.forget_sacks();
          if (random.chance(0.1)) board.forget_losses();
          break;
        default:
          if (random.chance(0.1)) board.cut(1 + random.below(60));
          break;
      }
      std::size_t linked = 0;
      for (SentSegment* s = board.sent_first(); s != nullptr; s = board.sent_after(*s)) {
        EXPECT_FALSE(s->sacked || s->lost);
        linked += s->size();
      }
      ASSERT_EQ(linked, board.in_flight_bytes());
      ASSERT_EQ(board.in_flight_bytes() + board.sacked_bytes() + board.lost_bytes(),
                next - acknowledged);
      ASSERT_EQ(board.first_lost() != nullptr, board.lost_bytes() > 0);
    }
  }
}

}  // namespace
}  // namespace sidestream::tunnel
