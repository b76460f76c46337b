#include "tunnel/timestamp.h"

#include <gtest/gtest.h>

#include "tests/support/vectors.h"

namespace sidestream::tunnel {
namespace {

constexpr Instant start{std::chrono::hours(1)};

WallTime wall(std::uint64_t seconds, std::uint64_t nanoseconds) {
  return WallTime(std::chrono::seconds(seconds) + std::chrono::nanoseconds(nanoseconds));
}

TEST(Timestamp, IsTai64nRoundedDown) {
  const Vector vector = load_vector("wireguard.json", "tai64n_encoding");
  const auto& cases = vector.inputs.at("cases").as_array();
  ASSERT_EQ(cases.size(), 8U);
  for (std::size_t i = 0; i < cases.size(); ++i) {
    const Timestamp made = timestamp_of(wall(number_of_json(cases[i].at("unix_seconds")),
                                             number_of_json(cases[i].at("nanoseconds"))));
    EXPECT_EQ(std::vector(made.bytes.begin(), made.bytes.end()),
              bytes_of_json(vector.expect.at("tai64n").at(i)));
  }
}

TEST(Timestamp, WhiteningHidesSmallDifferences) {
  const Vector vector = load_vector("wireguard.json", "tai64n_monotonic_whitening");
  const std::uint64_t seconds = number_of_json(vector.inputs.at("unix_seconds"));
  const std::uint64_t nanoseconds = number_of_json(vector.inputs.at("nanoseconds"));
  const auto& later = vector.inputs.at("later_by_ns").as_array();
  ASSERT_EQ(later.size(), 5U);
  for (std::size_t i = 0; i < later.size(); ++i)
    EXPECT_EQ(timestamp_of(wall(seconds, nanoseconds + number_of_json(later[i]))) >
                  timestamp_of(wall(seconds, nanoseconds)),
              vector.expect.at("after").at(i).as_bool());
}

TEST(Timestamp, TheNextOneIsGreaterAndCarries) {
  Timestamp timestamp = timestamp_of(wall(1'700'000'000, 0));
  for (int i = 0; i < 200; ++i) {
    const Timestamp next = next_timestamp(timestamp);
    ASSERT_GT(next, timestamp);
    timestamp = next;
  }
  // 60 steps fit into a second.
  EXPECT_EQ(timestamp, timestamp_of(wall(1'700'000'003, 20ULL * timestamp_quantum)));
  // Before 1970 too.
  EXPECT_LT(timestamp_of(wall(0, 0) - 1ns), timestamp_of(wall(0, 0)));
  Timestamp end;
  end.bytes.fill(0xff);
  EXPECT_EQ(next_timestamp(end), end);
}

TEST(Timestamp, IsMovedBySeconds) {
  const Timestamp now = timestamp_of(WallTime(1'700'000'000s + 500ms));
  EXPECT_EQ(later_timestamp(now, 300s), timestamp_of(WallTime(1'700'000'300s + 500ms)));
  Timestamp last;
  last.bytes.fill(0xff);
  EXPECT_EQ(later_timestamp(last, 300s), last);  // and not the beginning of time
}

TEST(Tai64nClock, FollowsTheWallClock) {
  Tai64nClock clock;
  clock.set_wall_clock(start, wall(1'700'000'000, 0));
  EXPECT_EQ(clock.next(start), timestamp_of(wall(1'700'000'000, 0)));
  EXPECT_EQ(clock.next(start + 5s), timestamp_of(wall(1'700'000'005, 0)));
  EXPECT_EQ(clock.last(), timestamp_of(wall(1'700'000'005, 0)));
}

TEST(Tai64nClock, GrowsWithinOneQuantum) {
  Tai64nClock clock;
  clock.set_wall_clock(start, wall(1'700'000'000, 0));
  Timestamp last = clock.next(start);
  for (int i = 0; i < 10; ++i) {
    const Timestamp next = clock.next(start);
    EXPECT_GT(next, last);
    last = next;
  }
}

TEST(Tai64nClock, NeverGoesBackWithTheWallClock) {
  Tai64nClock clock;
  clock.set_wall_clock(start, wall(1'700'000'000, 0));
  const Timestamp before = clock.next(start);
  clock.set_wall_clock(start + 1s, wall(1'600'000'000, 0));
  const Timestamp after = clock.next(start + 2s);
  EXPECT_EQ(after, next_timestamp(before));
  clock.set_wall_clock(start + 3s, wall(1'700'000'100, 0));
  EXPECT_EQ(clock.next(start + 3s), timestamp_of(wall(1'700'000'100, 0)));
}

TEST(Tai64nClock, SurvivesARestartWithoutAClock) {
  Tai64nClock before;
  before.set_wall_clock(start, wall(1'700'000'000, 0));
  before.next(start);
  Tai64nClock after;  // 1970, as on a board without a battery
  after.set_wall_clock(start, wall(5, 0));
  after.set_last(before.last());
  EXPECT_GT(after.next(start), before.last());
  after.set_last(before.last());  // older than what was used meanwhile
  EXPECT_GT(after.next(start), next_timestamp(before.last()));
}

TEST(Tai64nClock, CountsWhenThereIsNoClockAtAll) {
  Tai64nClock clock;
  const Timestamp first = clock.next(start);
  EXPECT_GT(first, Timestamp{});
  EXPECT_GT(clock.next(start), first);
}

}  // namespace
}  // namespace sidestream::tunnel
