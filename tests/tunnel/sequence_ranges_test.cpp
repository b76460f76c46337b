#include "tunnel/sequence_ranges.h"

#include <gtest/gtest.h>

#include <set>

#include "tests/support/seeded_random.h"

namespace sidestream::tunnel {
namespace {

SequenceRange range(std::uint64_t begin, std::uint64_t end) {
  return {Sequence(begin), Sequence(end)};
}

TEST(SequenceRanges, JoinsWhatTouches) {
  SequenceRanges ranges(10);
  EXPECT_TRUE(ranges.add(range(10, 20)));
  EXPECT_TRUE(ranges.add(range(30, 40)));
  EXPECT_TRUE(ranges.add(range(20, 25)));
  EXPECT_EQ(ranges.all().size(), 2U);
  EXPECT_TRUE(ranges.add(range(25, 30)));
  ASSERT_EQ(ranges.all().size(), 1U);
  EXPECT_EQ(ranges.all()[0], range(10, 40));
  EXPECT_TRUE(ranges.add(range(50, 50)));
  EXPECT_EQ(ranges.all().size(), 1U);
}

TEST(SequenceRanges, IsBounded) {
  SequenceRanges ranges(2);
  EXPECT_TRUE(ranges.add(range(10, 20)));
  EXPECT_TRUE(ranges.add(range(30, 40)));
  EXPECT_FALSE(ranges.add(range(50, 60)));
  EXPECT_TRUE(ranges.add(range(15, 35)));
  EXPECT_TRUE(ranges.add(range(50, 60)));
}

TEST(SequenceRanges, FindsGaps) {
  SequenceRanges ranges(10);
  ranges.add(range(10, 20));
  ranges.add(range(30, 40));
  EXPECT_EQ(ranges.first_gap(range(5, 50)), range(5, 10));
  EXPECT_EQ(ranges.first_gap(range(10, 50)), range(20, 30));
  EXPECT_EQ(ranges.first_gap(range(35, 50)), range(40, 50));
  EXPECT_EQ(ranges.first_gap(range(22, 25)), range(22, 25));
  EXPECT_EQ(ranges.first_gap(range(31, 39)), std::nullopt);
  EXPECT_EQ(ranges.first_gap(range(50, 50)), std::nullopt);
}

// Against a set of numbers.
TEST(SequenceRanges, BehavesLikeASlowOne) {
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    SeededRandom random(seed);
    SequenceRanges ranges(1000);
    std::set<std::uint64_t> model;
    for (int step = 0; step < 40; ++step) {
      const std::uint64_t begin = 100 + random.below(200);
      const std::uint64_t end = begin + random.below(15);
      ranges.add(range(begin, end));
      for (std::uint64_t i = begin; i < end; ++i) model.insert(i);
      if (random.chance(0.05)) {
        const std::uint64_t cut = 100 + random.below(60);
        ranges.remove_before(Sequence(cut));
        model.erase(model.begin(), model.lower_bound(cut));
      }
      std::size_t size = 0;
      for (std::size_t i = 0; i < ranges.all().size(); ++i) {
        size += ranges.all()[i].size();
        EXPECT_TRUE(i == 0 || ranges.all()[i - 1].end < ranges.all()[i].begin);
      }
      ASSERT_EQ(size, model.size());
      for (std::uint64_t i = 95; i < 330; i += 1 + random.below(4)) {
        ASSERT_EQ(ranges.find(Sequence(i)).has_value(), model.contains(i));
        ASSERT_EQ(ranges.contains(range(i, i + 1)), model.contains(i));
        const auto gap = ranges.first_gap(range(i, 330));
        std::uint64_t first = i;
        while (first < 330 && model.contains(first)) ++first;
        ASSERT_EQ(gap.has_value(), first < 330);
        if (gap) {
          ASSERT_EQ(gap->begin.position(), first);
        }
      }
    }
  }
}

}  // namespace
}  // namespace sidestream::tunnel
