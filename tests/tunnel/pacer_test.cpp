#include "tunnel/pacer.h"

#include <gtest/gtest.h>

namespace sidestream::tunnel {
namespace {

// How many packets of 1000 bytes leave in `duration`, asked again at each next().
int packets_in(Pacer& pacer, Instant& now, Duration duration, std::uint64_t rate) {
  int packets = 0;
  for (const Instant end = now + duration; now < end;) {
    if (pacer.may_send(now)) {
      pacer.on_sent(now, 1000, rate);
      ++packets;
    } else {
      EXPECT_GT(pacer.next(), now);
      now = std::min(pacer.next(), end);
    }
  }
  return packets;
}

TEST(Pacer, KeepsTheRate) {
  Pacer pacer;
  Instant now{1s};
  packets_in(pacer, now, 100ms, 1'000'000);
  EXPECT_NEAR(packets_in(pacer, now, 1s, 1'000'000), 1000, 6);
  EXPECT_NEAR(packets_in(pacer, now, 1s, 100'000'000), 100'000, 600);
}

TEST(Pacer, SendsInBurstsOfAMillisecond) {
  Pacer pacer;
  Instant now{1s};
  packets_in(pacer, now, 100ms, 10'000'000);
  int burst = 0;
  now = std::max(now, pacer.next());
  for (; pacer.may_send(now); ++burst) pacer.on_sent(now, 1000, 10'000'000);
  EXPECT_NEAR(burst, 10, 2);
}

TEST(Pacer, CatchesUpOnlyALittle) {
  Pacer pacer;
  Instant now{1s};
  packets_in(pacer, now, 100ms, 10'000'000);
  now += 1s;
  int burst = 0;
  for (; pacer.may_send(now); ++burst) pacer.on_sent(now, 1000, 10'000'000);
  EXPECT_LE(burst, 52);
}

TEST(Pacer, LetsTheFirstPacketsGo) {
  Pacer pacer;
  const Instant now{1s};
  while (pacer.may_send(now)) pacer.on_sent(now, 1000, 10'000);
  pacer.on_idle(10'000);
  int burst = 0;
  for (; pacer.may_send(now); ++burst) pacer.on_sent(now, 1000, 10'000);
  EXPECT_EQ(burst, 11);
}

TEST(Pacer, WithoutARateThereIsNoWaiting) {
  Pacer pacer;
  const Instant now{1s};
  for (int i = 0; i < 1000; ++i) {
    ASSERT_TRUE(pacer.may_send(now));
    pacer.on_sent(now, 1000, 0);
  }
}

}  // namespace
}  // namespace sidestream::tunnel
