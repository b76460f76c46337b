#include "streams/backoff.h"

#include <gtest/gtest.h>

#include <limits>

namespace sidestream {
namespace {

constexpr std::uint32_t highest = std::numeric_limits<std::uint32_t>::max();

TEST(Backoff, DoublesUpToTheLongest) {
  const BackoffLimits limits{.first = 1s, .longest = 10s};
  const auto expect_about = [&limits](unsigned attempt, Duration expected) {
    const Duration delay = backoff_delay(attempt, highest, limits);
    EXPECT_LE(delay, expected) << attempt;
    EXPECT_GT(delay, expected - 1ms) << attempt;
  };
  expect_about(0, 1s);
  expect_about(1, 2s);
  expect_about(3, 8s);
  expect_about(4, 10s);
  expect_about(highest, 10s);
}

TEST(Backoff, IsARandomPartBetweenHalfAndWhole) {
  const BackoffLimits limits{.first = 1s, .longest = 10s};
  EXPECT_EQ(backoff_delay(0, 0, limits), 500ms);
  EXPECT_LE(backoff_delay(0, highest, limits), 1s);
  EXPECT_LT(backoff_delay(2, 1U << 30U, limits), backoff_delay(2, 1U << 31U, limits));
}

TEST(Backoff, NeverLeavesTheLimitsEvenWhenTheyAreExtreme) {
  const BackoffLimits far{.first = 1ns, .longest = Duration::max()};
  EXPECT_GT(backoff_delay(1000, 0, far), Duration::zero());
  const BackoffLimits upside_down{.first = 10s, .longest = 1s};
  EXPECT_LE(backoff_delay(0, highest, upside_down), 1s);
}

TEST(Backoff, StartsAgainAfterSuccess) {
  Backoff backoff({.first = 1s, .longest = 1min});
  EXPECT_EQ(backoff.next(0), 500ms);
  EXPECT_EQ(backoff.next(0), 1s);
  EXPECT_EQ(backoff.next(0), 2s);
  EXPECT_EQ(backoff.failures(), 3U);
  backoff.reset();
  EXPECT_EQ(backoff.next(0), 500ms);
}

}  // namespace
}  // namespace sidestream
