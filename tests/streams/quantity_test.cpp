#include "streams/quantity.h"

#include <gtest/gtest.h>

namespace sidestream {
namespace {

TEST(Duration, ParsesItsUnits) {
  EXPECT_EQ(parse_duration("500ms"), 500ms);
  EXPECT_EQ(parse_duration("5s"), 5s);
  EXPECT_EQ(parse_duration("2m"), 2min);
  EXPECT_EQ(parse_duration("1h"), 1h);
  EXPECT_EQ(parse_duration("3d"), 72h);
  EXPECT_EQ(parse_duration("0"), 0s);
  for (const char* wrong : {"", "5", "s", "-5s", "5 s", "5S", "1.5s", "05s", "5s ", "10001d",
                            "99999999999999999999s", "5sec"})
    EXPECT_FALSE(parse_duration(wrong)) << wrong;
}

TEST(Duration, PrintsTheShortestForm) {
  EXPECT_EQ(duration_text(500ms), "500ms");
  EXPECT_EQ(duration_text(90s), "90s");
  EXPECT_EQ(duration_text(120s), "2m");
  EXPECT_EQ(duration_text(24h), "1d");
  EXPECT_EQ(duration_text(0s), "0s");
  for (const Duration duration : {Duration(1ms), Duration(5s), Duration(61min), Duration(100h)})
    EXPECT_EQ(parse_duration(duration_text(duration)), duration);
}

TEST(Size, ParsesItsUnits) {
  EXPECT_EQ(parse_size("64"), 64U);
  EXPECT_EQ(parse_size("64KiB"), 65536U);
  EXPECT_EQ(parse_size("2MB"), 2'000'000U);
  EXPECT_EQ(parse_size("1GiB"), 1U << 30U);
  for (const char* wrong : {"", "KiB", "64K", "64 KiB", "-1", "9999999999999GiB"})
    EXPECT_FALSE(parse_size(wrong)) << wrong;
}

TEST(WholeNumber, IsPlainDecimal) {
  EXPECT_EQ(parse_whole_number("0"), 0);
  EXPECT_EQ(parse_whole_number("9223372036854775807"), 9223372036854775807);
  for (const char* wrong : {"", "+1", "-0", "00", "01", "1x", "0x10", "9223372036854775808", " 1"})
    EXPECT_FALSE(parse_whole_number(wrong)) << wrong;
}

TEST(Quantity, TellsTheMinute) {
  const WallTime time = std::chrono::sys_days(std::chrono::year(2026) / 2 / 3);
  EXPECT_EQ(minute_text(time + 4h + 5min + 59s), "2026-02-03 04:05 UTC");
  EXPECT_EQ(minute_text(time + 23h + 59min), "2026-02-03 23:59 UTC");
}

}  // namespace
}  // namespace sidestream
