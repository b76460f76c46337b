#include "tunnel/cubic.h"

#include <gtest/gtest.h>

#include "tunnel/tcp_limits.h"

namespace sidestream::tunnel {
namespace {

constexpr std::size_t mss = 1000;
constexpr Duration rtt = 100ms;

AckSample sample_at(Instant now, std::size_t bytes) {
  AckSample sample;
  sample.now = now;
  sample.acknowledged_bytes = sample.delivered_bytes = bytes;
  sample.rtt = sample.smoothed_rtt = sample.minimum_rtt = rtt;
  sample.window_limited = true;
  return sample;
}

// One round trip in which the whole window is acknowledged, two segments at a time.
void round(Cubic& cubic, Instant& now) {
  const std::size_t window = cubic.window();
  for (std::size_t bytes = 0; bytes < window; bytes += 2 * mss) {
    AckSample sample = sample_at(now + rtt * static_cast<int>(bytes) / static_cast<int>(window),
                                 std::min(2 * mss, window - bytes));
    sample.round_started = bytes == 0;
    cubic.on_ack(sample);
  }
  now += rtt;
}

TEST(Cubic, BeginsWithTenSegmentsAndDoubles) {
  Cubic cubic(mss);
  Instant now{1s};
  EXPECT_EQ(cubic.window(), 10 * mss);
  EXPECT_EQ(cubic.pacing_rate(), 0U);  // nothing is known of the path yet
  round(cubic, now);
  EXPECT_EQ(cubic.window(), 20 * mss);
  // Twice the window per round trip.
  EXPECT_EQ(cubic.pacing_rate(), 400'000U);
}

TEST(Cubic, DoesNotGrowWhatIsNotUsed) {
  Cubic cubic(mss);
  AckSample sample = sample_at(Instant(1s), 10'000);
  sample.window_limited = false;
  cubic.on_ack(sample);
  EXPECT_EQ(cubic.window(), 10 * mss);
}

TEST(Cubic, ASpuriousTimeoutInARecoveryLeavesTheRecoverysReduction) {
  Cubic cubic(mss);
  Instant now{1s};
  for (int i = 0; i < 4; ++i) round(cubic, now);
  cubic.on_loss(now, 160 * mss);
  cubic.on_timeout(now, 100 * mss);
  EXPECT_EQ(cubic.window(), mss);
  cubic.on_spurious_loss(now);
  EXPECT_EQ(cubic.window(), 112 * mss);
}

TEST(Cubic, ComesBackToWhereItWasInTheTimeOfTheRfc) {
  Cubic cubic(mss);
  Instant now{1s};
  for (int i = 0; i < 4; ++i) round(cubic, now);
  ASSERT_EQ(cubic.window(), 160 * mss);
  cubic.on_loss(now, 160 * mss);
  cubic.on_recovered(now);
  EXPECT_EQ(cubic.window(), 112 * mss);  // beta 0.7
  // K = cbrt((160 - 112) / 0.4) = 4.93 s: concave up to there, convex behind it.
  const Instant start = now;
  std::size_t last_growth = 100 * mss;
  while (now - start < 4500ms) {
    const std::size_t before = cubic.window();
    for (int i = 0; i < 10; ++i) round(cubic, now);
    EXPECT_LE(cubic.window() - before, last_growth + mss);
    last_growth = cubic.window() - before;
  }
  EXPECT_NEAR(static_cast<double>(cubic.window()), 160.0 * mss, 5.0 * mss);
  while (now - start < 9s) round(cubic, now);
  EXPECT_GT(cubic.window(), 175 * mss);
}

TEST(Cubic, GrowsAtLeastAsRenoDoesOnShortPaths) {
  Cubic cubic(mss);  // RFC 9438 section 4.3
  Instant now{1s};
  round(cubic, now);
  cubic.on_loss(now, 20 * mss);
  cubic.on_recovered(now);
  ASSERT_EQ(cubic.window(), 14 * mss);
  for (int i = 0; i < 10; ++i) {
    const std::size_t window = cubic.window();
    for (std::size_t bytes = 0; bytes < window; bytes += mss) {
      AckSample sample = sample_at(now, mss);
      sample.smoothed_rtt = 1ms;
      cubic.on_ack(sample);
    }
    now += 1ms;
  }
  // alpha = 3 * 0.3 / 1.7 = 0.53 segments per round trip, for ten.
  EXPECT_NEAR(static_cast<double>(cubic.window()), 19.2 * mss, 0.6 * mss);
}

TEST(Cubic, GivesWayFasterWhenItIsPushedTwice) {
  Cubic cubic(mss);
  Instant now{1s};
  for (int i = 0; i < 4; ++i) round(cubic, now);
  cubic.on_loss(now, 160 * mss);
  cubic.on_recovered(now);
  cubic.on_loss(now, 112 * mss);  // below the last maximum: fast convergence
  cubic.on_recovered(now);
  EXPECT_EQ(cubic.window(), 78'400U);
  const Instant start = now;
  while (now - start < 3800ms) round(cubic, now);  // K of (95.2 - 78.4)
  EXPECT_LT(cubic.window(), 105 * mss);            // not 112
}

TEST(Cubic, CountsTheWindowThatWasUsed) {
  Cubic cubic(mss);
  Instant now{1s};
  for (int i = 0; i < 4; ++i) round(cubic, now);
  cubic.on_loss(now, 20 * mss);
  cubic.on_recovered(now);
  EXPECT_NEAR(static_cast<double>(cubic.window()), 16'100.0,
              1.0);  // of 20 and three that were reported
}

TEST(Cubic, ATimeoutLeavesOneSegment) {
  Cubic cubic(mss);
  Instant now{1s};
  for (int i = 0; i < 4; ++i) round(cubic, now);
  cubic.on_timeout(now, 160 * mss);
  EXPECT_EQ(cubic.window(), mss);
  for (int i = 0; i < 6; ++i) round(cubic, now);  // slow start up to 112
  EXPECT_EQ(cubic.window(), 64 * mss);
  round(cubic, now);
  round(cubic, now);
  EXPECT_LT(cubic.window(), 150 * mss);
}

TEST(Cubic, NeverGoesBelowTwoSegments) {
  Cubic cubic(mss);
  for (int i = 0; i < 20; ++i) {
    cubic.on_loss(Instant(1s), mss);
    cubic.on_recovered(Instant(1s));
  }
  EXPECT_EQ(cubic.window(), 2 * mss);
}

TEST(Cubic, TakesAMistakeBack) {
  Cubic cubic(mss);
  Instant now{1s};
  for (int i = 0; i < 4; ++i) round(cubic, now);
  cubic.on_loss(now, 160 * mss);
  cubic.on_spurious_loss(now);
  EXPECT_EQ(cubic.window(), 160 * mss);
  cubic.on_timeout(now, 160 * mss);
  cubic.on_spurious_loss(now);
  EXPECT_EQ(cubic.window(), 160 * mss);
  round(cubic, now);
  EXPECT_EQ(cubic.window(), 320 * mss);  // still in slow start
}

TEST(Cubic, TimeWithoutTrafficIsNoTime) {
  Cubic cubic(mss);
  Instant now{1s};
  for (int i = 0; i < 4; ++i) round(cubic, now);
  cubic.on_loss(now, 160 * mss);
  cubic.on_recovered(now);
  round(cubic, now);
  now += 60s;
  const std::size_t before = cubic.window();
  round(cubic, now);
  EXPECT_LT(cubic.window(), before + 10 * mss);
}

TEST(Cubic, ForgetsTheWindowInSilence) {
  Cubic cubic(mss);
  Instant now{1s};
  for (int i = 0; i < 4; ++i) round(cubic, now);
  cubic.on_idle(now, 350ms, 300ms);
  EXPECT_EQ(cubic.window(), 80 * mss);
  cubic.on_idle(now, 60s, 300ms);
  EXPECT_EQ(cubic.window(), 10 * mss);
  for (int i = 0; i < 3; ++i) round(cubic, now);
  EXPECT_EQ(cubic.window(), 80 * mss);  // but remembers that it had been there
}

TEST(Cubic, KeepsSegmentsInTheWindowWhenTheyShrink) {
  Cubic cubic(mss);
  cubic.on_timeout(Instant(1s), 10 * mss);
  cubic.set_mss(500);
  EXPECT_EQ(cubic.window(), 1000U);
}

}  // namespace
}  // namespace sidestream::tunnel
