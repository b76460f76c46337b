#include "tunnel/hystart.h"

#include <gtest/gtest.h>

namespace sidestream::tunnel {
namespace {

HyStart::Phase round(HyStart& hystart, Duration rtt, int samples = 10) {
  HyStart::Phase phase = hystart.on_ack(true, rtt);
  for (int i = 1; i < samples; ++i) phase = hystart.on_ack(false, rtt);
  return phase;
}

TEST(HyStart, GoesOnWhileTheRoundTripStays) {
  HyStart hystart;
  for (int i = 0; i < 20; ++i) EXPECT_EQ(round(hystart, 40ms), HyStart::Phase::slow_start);
}

TEST(HyStart, SlowsDownWhenTheRoundTripGrows) {
  HyStart hystart;
  round(hystart, 40ms);
  EXPECT_EQ(round(hystart, 44ms), HyStart::Phase::slow_start);        // an eighth is 5 ms
  EXPECT_EQ(round(hystart, 49ms + 1us), HyStart::Phase::slow_start);  // 49.5 of 44
  EXPECT_EQ(round(hystart, 56ms), HyStart::Phase::conservative);
}

TEST(HyStart, NeedsEightSamples) {
  HyStart hystart;
  round(hystart, 40ms);
  EXPECT_EQ(round(hystart, 80ms, 7), HyStart::Phase::slow_start);
  EXPECT_EQ(hystart.on_ack(false, 80ms), HyStart::Phase::conservative);
}

TEST(HyStart, IsDoneAfterFiveConservativeRounds) {
  HyStart hystart;
  round(hystart, 40ms);
  ASSERT_EQ(round(hystart, 60ms), HyStart::Phase::conservative);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(round(hystart, 70ms), HyStart::Phase::conservative);
  EXPECT_EQ(round(hystart, 70ms), HyStart::Phase::done);
  EXPECT_EQ(round(hystart, 10ms), HyStart::Phase::done);
}

TEST(HyStart, TakesItBackWhenTheRoundTripShrinks) {
  HyStart hystart;
  round(hystart, 40ms);
  ASSERT_EQ(round(hystart, 60ms), HyStart::Phase::conservative);
  EXPECT_EQ(round(hystart, 45ms), HyStart::Phase::slow_start);
}

TEST(HyStart, ThresholdsAreBounded) {
  HyStart small;
  round(small, 1ms);
  EXPECT_EQ(round(small, 4ms), HyStart::Phase::slow_start);  // 4 ms at least
  HyStart large;
  round(large, 400ms);
  EXPECT_EQ(round(large, 416ms), HyStart::Phase::conservative);  // 16 ms at most
}

}  // namespace
}  // namespace sidestream::tunnel
