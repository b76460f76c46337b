// What the streams to one peer get out of the line that they share, in the seeded simulation.
#include "tests/support/shared_line.h"

#include <gtest/gtest.h>

#include "tunnel/cubic.h"

namespace sidestream::tunnel {
namespace {

TEST(SharedLine, FourUploadsGetTheSame) {
  for (const int rtt : {10, 100}) {
    for (const double loss : {0.0, 0.01}) {
      const auto got = measure_shared_line(
          {.megabits = 20, .rtt = Duration(1ms) * rtt, .loss = loss, .time = 10s});
      EXPECT_GT(got.fairness, 0.99) << rtt << " ms " << loss;
      EXPECT_GT(got.share, 0.95) << rtt << " ms " << loss;
      EXPECT_LT(got.again, loss + 0.03) << rtt << " ms " << loss;
    }
  }
}

TEST(SharedLine, SixteenUploadsOverSlowLinesToo) {
  const auto got = measure_shared_line({.megabits = 10, .uploads = 16, .time = 10s});
  EXPECT_GT(got.fairness, 0.99);
  EXPECT_GT(got.share, 0.95);
  EXPECT_LT(got.again, 0.03);
}

TEST(SharedLine, UploadsOfUnlikeAgeGetTheSame) {
  const auto got = measure_shared_line({.uploads = 2, .time = 10s, .last_starts_at = 4s});
  EXPECT_GT(got.fairness, 0.99);
}

TEST(SharedLine, AnEchoDoesNotWaitBehindUploads) {
  for (const std::size_t uploads : {1UL, 4UL}) {
    for (const double buffer : {1.0, 4.0}) {
      const auto got = measure_shared_line(
          {.megabits = 20, .buffer = buffer, .uploads = uploads, .time = 10s, .echo = true});
      EXPECT_LT(got.echo_median, 60ms) << uploads << " with a buffer of " << buffer;
      EXPECT_LT(got.echo_p95, 80ms) << uploads << " with a buffer of " << buffer;
    }
  }
}

TEST(SharedLine, TheQueueStaysShortWhereverThereIsRoomForALongOne) {
  const auto got = measure_shared_line({.megabits = 20, .buffer = 8, .time = 10s});
  EXPECT_LT(got.queue, 10ms);
  EXPECT_GT(got.share, 0.97);
}

TEST(SharedLine, AReaderThatIsSlowLeavesTheLineToTheOthers) {
  const auto got = measure_shared_line({.time = 10s, .first_reader_per_second = 50'000});
  ASSERT_EQ(got.each.size(), 4U);
  EXPECT_NEAR(got.each[0], 0.4, 0.1);
  EXPECT_GT(got.share, 0.96);
  for (std::size_t i = 1; i < 4; ++i) EXPECT_GT(got.each[i], 15) << i;
}

TEST(SharedLine, AReaderThatIsSlowAloneDoesNotSpoilTheLineForALaterStream) {
  const auto got = measure_shared_line(
      {.uploads = 2, .time = 10s, .first_reader_per_second = 50'000, .last_starts_at = 4s});
  ASSERT_EQ(got.each.size(), 2U);
  EXPECT_GT(got.each[1], 45);
}

TEST(SharedLine, ANewStreamNeedsNoSlowStartOnALineThatIsKnown) {
  const auto got = measure_shared_line({.uploads = 2, .time = 10s, .last_starts_at = 4s});
  // Alone and at full speed 250,000 bytes take 41 ms, at half of it 83, and a round trip each for
  // the handshake and the way there. The reader's window, of 64 KiB at first, adds two.
  EXPECT_GT(got.last_quarter_megabyte, 100ms);
  EXPECT_LT(got.last_quarter_megabyte, 260ms);
}

TEST(SharedLine, UnderCubicEachStreamHasAWindowOfItsOwn) {
  const auto got = measure_shared_line({.time = 10s, .congestion = make_cubic});
  EXPECT_GT(got.share, 0.95);
  EXPECT_GT(got.fairness, 0.9);
}

}  // namespace
}  // namespace sidestream::tunnel
