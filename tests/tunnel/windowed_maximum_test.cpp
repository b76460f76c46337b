#include "tunnel/windowed_maximum.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "tests/support/seeded_random.h"

namespace sidestream::tunnel {
namespace {

TEST(WindowedMaximum, TakesAGreaterValueAtOnce) {
  WindowedMaximum maximum(10);
  EXPECT_EQ(maximum.value(), 0U);
  maximum.update(1, 5);
  maximum.update(2, 9);
  maximum.update(3, 4);
  EXPECT_EQ(maximum.value(), 9U);
}

TEST(WindowedMaximum, ForgetsAfterItsRounds) {
  WindowedMaximum maximum(10);
  maximum.update(1, 100);
  for (std::uint64_t round = 2; round <= 11; ++round) {
    maximum.update(round, 50);
    EXPECT_EQ(maximum.value(), 100U) << round;
  }
  maximum.update(12, 50);
  EXPECT_EQ(maximum.value(), 50U);
}

TEST(WindowedMaximum, ForgetsAtOnceAfterALongPause) {
  WindowedMaximum maximum(10);
  maximum.update(1, 100);
  maximum.update(100, 3);
  EXPECT_EQ(maximum.value(), 3U);
}

// Three candidates are not all values, so it may forget a little early, but it never invents a
// value, never misses the newest and never keeps an old one.
TEST(WindowedMaximum, IsBetweenTheNewestValueAndTheTrueMaximum) {
  SeededRandom random(3);
  WindowedMaximum maximum(10);
  std::vector<std::uint64_t> values;
  for (std::uint64_t round = 0; round < 10'000; ++round) {
    values.push_back(random.below(1000));
    maximum.update(round, values.back());
    const std::size_t first = values.size() > 11 ? values.size() - 11 : 0;
    const auto window =
        std::ranges::subrange(values.begin() + static_cast<long>(first), values.end());
    ASSERT_LE(maximum.value(), *std::ranges::max_element(window));
    ASSERT_GE(maximum.value(), values.back());
  }
}

}  // namespace
}  // namespace sidestream::tunnel
