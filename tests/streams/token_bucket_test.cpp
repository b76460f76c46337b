#include "streams/token_bucket.h"

#include <gtest/gtest.h>

namespace sidestream {
namespace {

TEST(TokenBucket, AllowsABurstThenTheRate) {
  TokenBucket bucket(10, 3);
  const Instant start{100s};
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(bucket.take(start));
  EXPECT_FALSE(bucket.take(start));
  EXPECT_EQ(bucket.wait(start), 100ms);
  EXPECT_FALSE(bucket.take(start + 99ms));
  EXPECT_TRUE(bucket.take(start + 101ms));
  EXPECT_FALSE(bucket.take(start + 101ms));
}

TEST(TokenBucket, NeverHoldsMoreThanItsBurst) {
  TokenBucket bucket(10, 2);
  EXPECT_EQ(bucket.wait(Instant{1h}), 0ns);
  EXPECT_TRUE(bucket.take(Instant{1h}));
  EXPECT_TRUE(bucket.take(Instant{1h}));
  EXPECT_FALSE(bucket.take(Instant{1h}));
}

TEST(TokenBucket, OverAMinuteTheRateHolds) {
  TokenBucket bucket(10, 20);
  int taken = 0;
  for (Duration passed = 0s; passed < 60s; passed += 1ms) {
    if (bucket.take(Instant{} + passed)) ++taken;
  }
  EXPECT_GE(taken, 600);
  EXPECT_LE(taken, 620);
}

TEST(TokenBucket, AClockThatStandsStillGivesNothing) {
  TokenBucket bucket(1, 1);
  EXPECT_TRUE(bucket.take(Instant{10s}));
  EXPECT_FALSE(bucket.take(Instant{5s}));
  EXPECT_FALSE(bucket.take(Instant{10s}));
  EXPECT_TRUE(bucket.take(Instant{11s}));
}

}  // namespace
}  // namespace sidestream
