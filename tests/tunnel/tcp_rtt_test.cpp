#include "tunnel/tcp_rtt.h"

#include <gtest/gtest.h>

namespace sidestream::tunnel {
namespace {

TEST(RttEstimator, FollowsRfc6298) {
  const TcpLimits limits;
  RttEstimator rtt(limits);
  EXPECT_EQ(rtt.rto(), 1s);
  rtt.on_sample(Instant(1s), 400ms, 1);
  EXPECT_EQ(rtt.smoothed(), 400ms);
  EXPECT_EQ(rtt.rto(), 1200ms);  // R + 4 * R / 2
  rtt.on_sample(Instant(2s), 400ms, 1);
  EXPECT_EQ(rtt.rto(), 1s);  // RTTVAR = 3/4 * 200
  rtt.on_sample(Instant(3s), 480ms, 1);
  EXPECT_EQ(rtt.smoothed(), 410ms);
  EXPECT_EQ(rtt.rto(), 410ms + 4 * (112500us + 20ms));
}

TEST(RttEstimator, KeepsADistanceFromTheRoundTrip) {
  const TcpLimits limits;
  RttEstimator rtt(limits);
  for (int i = 0; i < 100; ++i) rtt.on_sample(Instant(1s), 180ms, 1);
  EXPECT_EQ(rtt.rto(), 380ms);
}

TEST(RttEstimator, ManySamplesOfOneRoundTripCountLikeOne) {
  const TcpLimits limits;
  RttEstimator rtt(limits);  // RFC 7323 appendix G
  rtt.on_sample(Instant(1s), 100ms, 1);
  for (int i = 0; i < 100; ++i) rtt.on_sample(Instant(1s), 200ms, 100);
  EXPECT_GT(rtt.smoothed(), 110ms);
  EXPECT_LT(rtt.smoothed(), 113ms);
}

TEST(RttEstimator, DoublesAndStops) {
  TcpLimits limits;
  limits.rto_max = 5s;
  RttEstimator rtt(limits);
  rtt.back_off();
  EXPECT_EQ(rtt.rto(), 2s);
  rtt.back_off();
  EXPECT_EQ(rtt.rto(), 4s);
  for (int i = 0; i < 1000; ++i) rtt.back_off();
  EXPECT_EQ(rtt.rto(), 5s);
  rtt.end_back_off();
  EXPECT_EQ(rtt.rto(), 1s);
}

TEST(RttEstimator, ForgetsTheMinimumAfterMinutes) {
  const TcpLimits limits;
  RttEstimator rtt(limits);
  rtt.on_sample(Instant(1s), 10ms, 1);
  rtt.on_sample(Instant(2s), 50ms, 1);
  EXPECT_EQ(rtt.minimum(), 10ms);
  rtt.on_sample(Instant(10min), 50ms, 1);
  EXPECT_EQ(rtt.minimum(), 50ms);
  EXPECT_EQ(rtt.latest(), 50ms);
}

TEST(RttEstimator, TakesNoTimeForATime) {
  const TcpLimits limits;
  RttEstimator rtt(limits);
  rtt.on_sample(Instant(1s), 0ms, 1);
  EXPECT_GT(rtt.smoothed(), 0ms);
}

}  // namespace
}  // namespace sidestream::tunnel
