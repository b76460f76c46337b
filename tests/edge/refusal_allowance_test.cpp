#include "edge/refusal_allowance.h"

#include <gtest/gtest.h>

namespace sidestream::edge {
namespace {

// Fault 60: however many streams are refused, the log grows by so many lines only.
TEST(RefusalAllowanceTest, TellsABurstAndThenOneAnInterval) {
  RefusalAllowance allowance({.burst = 3, .interval = 1s});
  Instant now{100s};
  for (int i = 0; i < 3; ++i) EXPECT_EQ(allowance.take(now), 0U);
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(allowance.take(now), std::nullopt);
  now += 999ms;
  EXPECT_EQ(allowance.take(now), std::nullopt);
  now += 1ms;
  EXPECT_EQ(allowance.take(now), 1001U);
  EXPECT_EQ(allowance.take(now), std::nullopt);
  now += 1h;
  EXPECT_EQ(allowance.take(now), 1U);
  EXPECT_EQ(allowance.take(now), 0U);
  EXPECT_EQ(allowance.take(now), 0U);
  EXPECT_EQ(allowance.take(now), std::nullopt);
}

TEST(RefusalAllowanceTest, StaysBelowItsRate) {
  RefusalAllowance allowance({.burst = 60, .interval = 1s});
  int told = 0;
  for (Instant now{0s}; now < Instant(10min); now += 7ms) told += allowance.take(now) ? 1 : 0;
  EXPECT_GE(told, 600);
  EXPECT_LE(told, 660);
}

}  // namespace
}  // namespace sidestream::edge
