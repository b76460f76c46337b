#include "cli/text_table.h"

#include <gtest/gtest.h>

namespace sidestream::cli {
namespace {

TEST(TextTable, AlignsColumnsAndLeavesNoTrailingBlanks) {
  TextTable table({"NAME", "EMPTY", "", "STATE"});
  EXPECT_TRUE(table.empty());
  table.add({"a", "", "", "granted"});
  table.add({"größer", "", "", ""});
  table.add({"short"});
  EXPECT_FALSE(table.empty());
  EXPECT_EQ(table.text(),
            "NAME    EMPTY  STATE\n"
            "a              granted\n"
            "größer\n"
            "short\n");
}

TEST(TextTable, ABlankFirstColumnTakesNoRoom) {
  TextTable table({"", "B"});
  table.add({"", "x"});
  EXPECT_EQ(table.text(), "B\nx\n");
}

TEST(TextTable, Times) {
  EXPECT_EQ(amount_text(0ns), "0 us");
  EXPECT_EQ(amount_text(480us), "480 us");
  EXPECT_EQ(amount_text(1499us), "1 ms");
  EXPECT_EQ(amount_text(38ms), "38 ms");
  EXPECT_EQ(amount_text(999ms), "999 ms");
  EXPECT_EQ(amount_text(1s), "1 s");
  EXPECT_EQ(amount_text(2500ms), "2.5 s");
  EXPECT_EQ(amount_text(59s), "59 s");
  EXPECT_EQ(amount_text(90s), "1.5 min");
  EXPECT_EQ(amount_text(Duration(59min)), "59 min");
  EXPECT_EQ(amount_text(Duration(3h)), "3 h");
  EXPECT_EQ(amount_text(Duration(24h * 12)), "12 d");
}

TEST(TextTable, Bytes) {
  EXPECT_EQ(amount_text(std::uint64_t{0}), "0 B");
  EXPECT_EQ(amount_text(std::uint64_t{999}), "999 B");
  EXPECT_EQ(amount_text(std::uint64_t{1234}), "1.2 kB");
  EXPECT_EQ(amount_text(std::uint64_t{34'000'000}), "34 MB");
  EXPECT_EQ(amount_text(std::uint64_t{5'600'000'000}), "5.6 GB");
  EXPECT_EQ(amount_text(~std::uint64_t{0}), "18446744 TB");
}

TEST(TextTable, Counts) {
  EXPECT_EQ(count_text(0), "0");
  EXPECT_EQ(count_text(999), "999");
  EXPECT_EQ(count_text(1204), "1,204");
  EXPECT_EQ(count_text(1'000'000), "1,000,000");
}

}  // namespace
}  // namespace sidestream::cli
