#include "streams/rfc3339.h"

#include <gtest/gtest.h>

namespace sidestream {
namespace {

TEST(Rfc3339, Times) {
  const WallTime noon = std::chrono::sys_days(std::chrono::year(2026) / 11 / 21) + 12h;
  EXPECT_EQ(parse_rfc3339("2026-11-21T12:00:00Z"), noon);
  EXPECT_EQ(parse_rfc3339("2026-11-21t12:00:00.123456z"), noon);
  EXPECT_EQ(parse_rfc3339("2026-11-21T14:30:00+02:30"), noon);
  EXPECT_EQ(parse_rfc3339("2026-11-21T07:00:00-05:00"), noon);
  for (const char* text : {"", "2026-11-21", "2026-11-21T12:00:00", "2026-13-21T12:00:00Z",
                           "2026-02-30T12:00:00Z", "2026-11-21T24:00:00Z", "9999-11-21T12:00:00Z",
                           "2026-11-21T12:00:00+2:30", "2026-11-21T12:00:00Zx"})
    EXPECT_FALSE(parse_rfc3339(text)) << text;
}

}  // namespace
}  // namespace sidestream
