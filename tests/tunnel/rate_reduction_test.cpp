#include "tunnel/rate_reduction.h"

#include <gtest/gtest.h>

namespace sidestream::tunnel {
namespace {

constexpr std::size_t mss = 1000;

TEST(RateReduction, SendsSevenForEveryTenDelivered) {
  RateReduction reduction;
  reduction.start(100 * mss);
  std::size_t in_flight = 99 * mss;
  std::size_t sent = 0;
  for (int delivered = 0; delivered < 70; ++delivered) {
    in_flight -= mss;
    const std::size_t window = reduction.window(mss, in_flight, true, 70 * mss, mss);
    while (in_flight + mss <= window) {
      in_flight += mss;
      sent += mss;
      reduction.on_sent(mss);
    }
  }
  EXPECT_NEAR(static_cast<double>(sent), 49.0 * mss, 1.5 * mss);
  EXPECT_NEAR(static_cast<double>(in_flight), 78.0 * mss, 1.5 * mss);
}

TEST(RateReduction, TheFirstRetransmissionAlwaysGoes) {
  RateReduction reduction;
  reduction.start(100 * mss);
  EXPECT_EQ(reduction.window(0, 99 * mss, false, 50 * mss, mss), 100 * mss);
}

TEST(RateReduction, RefillsAfterHeavyLoss) {
  RateReduction reduction;
  reduction.start(100 * mss);
  reduction.on_sent(mss);
  // One for each delivered, and one more while there is progress.
  EXPECT_EQ(reduction.window(mss, 10 * mss, false, 70 * mss, mss), 11 * mss);
  EXPECT_EQ(reduction.window(mss, 10 * mss, true, 70 * mss, mss), 12 * mss);
  // Never above the goal.
  EXPECT_EQ(reduction.window(50 * mss, 69 * mss, true, 70 * mss, mss), 70 * mss);
}

}  // namespace
}  // namespace sidestream::tunnel
