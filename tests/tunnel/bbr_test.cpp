#include "tunnel/bbr.h"

#include <gtest/gtest.h>

#include "tests/support/goodput.h"
#include "tunnel/cubic.h"
#include "tunnel/tcp_limits.h"

namespace sidestream::tunnel {
namespace {

constexpr std::size_t mss = 1000;
constexpr Duration rtt = 100ms;

double seconds(Duration time) {
  return std::chrono::duration<double>(time).count();
}

// A path, and a sender that fills its window as fast as it may, in rounds: one acknowledgment for
// each segment, evenly over the round trip.
class BbrTest : public testing::Test {
 protected:
  // One round trip.
  void round(double lost = 0) {
    const double paced =
        bbr.pacing_rate() == 0 ? 1e9 : static_cast<double>(bbr.pacing_rate()) * seconds(rtt);
    const double delivered =
        std::max(std::min(static_cast<double>(bbr.window()), paced), 1.0 * mss);
    const Duration trip =
        std::max(rtt, Duration(static_cast<Duration::rep>(delivered / bandwidth * 1e9)));
    const auto count = static_cast<int>(delivered / mss);
    const std::uint64_t prior = delivered_in_all;
    for (int i = 0; i < count; ++i) {
      now += trip / count;
      delivered_in_all += mss;
      AckSample sample{.now = now};
      sample.acknowledged_bytes = sample.delivered_bytes = mss;
      sample.prior_in_flight_bytes = static_cast<std::size_t>(delivered);
      sample.in_flight_bytes = sample.prior_in_flight_bytes;
      sample.rtt = sample.smoothed_rtt = trip;
      sample.minimum_rtt = rtt;
      sample.delivered_in_all = delivered_in_all;
      sample.delivery.prior_delivered = prior;
      sample.delivery.application_limited = application_limited;
      sample.delivery.bytes_per_second = static_cast<std::uint64_t>(delivered / seconds(trip));
      if (lost > 0 && i % 2 == 0) sample.lost_bytes = static_cast<std::size_t>(lost * 2 * mss);
      bbr.on_ack(sample);
    }
  }
  void rounds(int count) {
    for (int i = 0; i < count; ++i) round();
  }

  Bbr bbr{mss};
  Instant now{1s};
  double bandwidth = 1'000'000;  // bytes per second: 100 segments per round trip
  bool application_limited = false;
  std::uint64_t delivered_in_all = 0;
};

TEST_F(BbrTest, BeginsWithTenSegmentsAndDoubles) {
  EXPECT_EQ(bbr.window(), 10 * mss);
  EXPECT_EQ(bbr.pacing_rate(), 0U);
  round();
  EXPECT_EQ(bbr.window(), 20 * mss);
  EXPECT_EQ(bbr.bandwidth(), 100'000U);
  EXPECT_NEAR(static_cast<double>(bbr.pacing_rate()), 2.885 * 0.99 * 100'000, 2);
  round();
  EXPECT_EQ(bbr.window(), 40 * mss);
}

TEST_F(BbrTest, LeavesStartupWhenThePathIsFull) {
  for (int i = 0; i < 12 && bbr.state() == Bbr::State::startup; ++i) round();
  EXPECT_EQ(bbr.state(), Bbr::State::drain);
  EXPECT_LT(bbr.pacing_rate(), 400'000U);  // the queue is emptied
  round();
  EXPECT_EQ(bbr.state(), Bbr::State::probe_bandwidth);
  rounds(2);
  EXPECT_NEAR(static_cast<double>(bbr.bandwidth()), 1e6, 1e4);
  EXPECT_LE(bbr.window(), 220 * mss);  // two products and what pacing in bursts needs
}

TEST_F(BbrTest, AnApplicationThatIsSlowDoesNotEndStartup) {
  rounds(3);
  application_limited = true;
  bandwidth = static_cast<double>(bbr.bandwidth());
  rounds(20);
  EXPECT_EQ(bbr.state(), Bbr::State::startup);
}

TEST_F(BbrTest, ALittleLossChangesNothing) {
  rounds(20);
  const double before = static_cast<double>(bbr.bandwidth());
  for (int i = 0; i < 50; ++i) {
    bbr.on_loss(now, bbr.window());
    round(0.03);
    bbr.on_recovered(now);
  }
  EXPECT_NEAR(static_cast<double>(bbr.bandwidth()), before, 0.05 * before);
  EXPECT_GE(bbr.window(), 150 * mss);
}

TEST_F(BbrTest, MuchLossMeansThatTheQueueIsFull) {
  rounds(5);
  ASSERT_EQ(bbr.state(), Bbr::State::startup);
  const std::size_t before = bbr.window();
  round(0.4);
  round();
  EXPECT_NE(bbr.state(), Bbr::State::startup);
  EXPECT_LE(bbr.window(), before);
}

TEST_F(BbrTest, ATimeoutBeginsWithOneSegmentAndEndsWhereItWas) {
  rounds(20);
  const std::size_t before = bbr.window();
  bbr.on_timeout(now, before);
  EXPECT_EQ(bbr.window(), mss);
  bbr.on_recovered(now);
  EXPECT_EQ(bbr.window(), before);
}

TEST_F(BbrTest, ASpuriousTimeoutIsForgotten) {
  rounds(20);
  const std::size_t before = bbr.window();
  bbr.on_timeout(now, before);
  bbr.on_spurious_loss(now);
  EXPECT_EQ(bbr.window(), before);
}

TEST_F(BbrTest, FollowsAPathThatBecomesSlower) {
  rounds(20);
  bandwidth = 250'000;
  rounds(30);
  EXPECT_NEAR(static_cast<double>(bbr.bandwidth()), 250'000, 10'000);
}

TEST_F(BbrTest, FollowsAPathThatBecomesFaster) {
  rounds(20);
  bandwidth = 2'000'000;
  rounds(60);
  EXPECT_GT(static_cast<double>(bbr.bandwidth()), 1'800'000);
}

TEST_F(BbrTest, LooksForAShorterRoundTripEveryTenSeconds) {
  rounds(20);
  bool seen = false;
  const Instant begin = now;
  std::size_t least = bbr.window();
  while (now < begin + 12s) {
    round();
    seen |= bbr.state() == Bbr::State::probe_rtt;
    least = std::min(least, bbr.window());
  }
  EXPECT_TRUE(seen);
  EXPECT_LE(least, 55 * mss);
  EXPECT_GE(bbr.window(), 100 * mss);  // and comes back
}

TEST_F(BbrTest, AfterAnIdleTimeItDoesNotProbe) {
  rounds(20);
  bbr.on_idle(now + 60s, 60s, 1s);
  EXPECT_NEAR(static_cast<double>(bbr.pacing_rate()), 0.99e6, 1e4);
}

// ---- on a simulated line
// -------------------------------------------------------------------------

TEST(BbrOnALine, FillsItAlthoughPacketsAreLost) {
  const GoodputCase line{.loss = 0.01, .time = 10s, .congestion = make_bbr};  // 50 Mbit/s, 40 ms
  EXPECT_GE(measure_goodput(line).megabits, 45);
}

TEST(BbrOnALine, KeepsTheQueueShort) {
  const GoodputCase line{.buffer = 4, .time = 10s, .congestion = make_bbr};
  EXPECT_LT(measure_goodput(line).queue, 10ms);
}

TEST(BbrOnALine, FourUploadsShareIt) {
  const GoodputCase line{.congestion = make_bbr, .uploads = 4};
  const Goodput got = measure_goodput(line);
  EXPECT_GE(got.share, 0.95);
  EXPECT_GE(got.fairness, 0.95);
  EXPECT_LE(got.again, 0.03);
}

}  // namespace
}  // namespace sidestream::tunnel
