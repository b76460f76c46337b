#include "sidecar/acme_schedule.h"

#include <gtest/gtest.h>

#include "tests/support/seeded_random.h"

namespace sidestream::sidecar {
namespace {

constexpr WallTime begin_of_2026 = std::chrono::sys_days(std::chrono::year(2026) / 1 / 1);
using std::chrono::days;

TEST(AcmeSchedule, RenewsAfterTwoThirdsOrHalfOfALife) {
  SeededRandom random(1);
  for (int i = 0; i < 100; ++i) {
    const Duration late =
        renewal_time(begin_of_2026, begin_of_2026 + days(90), random) - begin_of_2026;
    EXPECT_GE(late, days(60));
    EXPECT_LE(late, days(62));
    const Duration early =
        renewal_time(begin_of_2026, begin_of_2026 + 160h, random) - begin_of_2026;
    EXPECT_GE(early, 80h);
    EXPECT_LE(early, 84h);
  }
}

TEST(AcmeSchedule, TakesAnyMomentOfAWindow) {
  SeededRandom random(1);
  const AcmeRenewalWindow window{begin_of_2026, begin_of_2026 + 10h};
  bool in_first_half = false;
  bool in_second_half = false;
  for (int i = 0; i < 100; ++i) {
    const Duration after = renewal_time(window, random) - begin_of_2026;
    EXPECT_GE(after, 0h);
    EXPECT_LE(after, 10h);
    (after < 5h ? in_first_half : in_second_half) = true;
  }
  EXPECT_TRUE(in_first_half && in_second_half);
}

// An authority that is down for a day is asked about thirty times, and is asked within an hour and
// a quarter of coming back.
TEST(AcmeSchedule, AsksAnAuthorityThatIsDownWithPatience) {
  SeededRandom random(1);
  const AcmeFailure down{AcmeFailure::Kind::unreachable, "", std::nullopt};
  Duration time{};
  unsigned failures = 0;
  while (time < 24h) time += retry_delay(down, ++failures, random);
  EXPECT_GE(failures, 24U);
  EXPECT_LE(failures, 34U);
  EXPECT_LE(time, 24h + 75min);
}

// Let's Encrypt allows five failed authorizations in an hour; nobody may use them up.
TEST(AcmeSchedule, AsksAfterARefusalOnceInAnHourAtMost) {
  SeededRandom random(1);
  const AcmeFailure refused{AcmeFailure::Kind::refused, "", std::nullopt};
  for (unsigned failures = 1; failures < 50; ++failures) {
    EXPECT_GE(retry_delay(refused, failures, random), 1h);
    EXPECT_LE(retry_delay(refused, failures, random), 30h);
  }
}

// An authority that suggests to replace each new certificate at once gets 24 orders in a day.
TEST(AcmeSchedule, RestsAfterACertificate) {
  EXPECT_EQ(rest_after(days(90)), 1h);
  EXPECT_EQ(rest_after(160h), 1h);
  EXPECT_EQ(rest_after(40s), 10s);
  EXPECT_EQ(rest_after(-1h), 0s);
}

TEST(AcmeSchedule, WaitsAsLongAsTheAuthoritySays) {
  SeededRandom random(1);
  const AcmeFailure limited{AcmeFailure::Kind::limited, "", days(7)};
  EXPECT_GE(retry_delay(limited, 1, random), days(7));
  EXPECT_EQ(ask_delay(std::nullopt), 6h);
  EXPECT_EQ(ask_delay(1s), 1h);
  EXPECT_EQ(ask_delay(days(30)), 24h);
}

}  // namespace
}  // namespace sidestream::sidecar
