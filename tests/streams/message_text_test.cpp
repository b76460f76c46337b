#include "streams/message_text.h"

#include <gtest/gtest.h>

#include <array>

namespace sidestream {
namespace {

TEST(Printable, EscapesWhatWouldBreakALineOrATerminal) {
  EXPECT_EQ(printable("a\nb\x1b[1m"), "a\\x0ab\\x1b[1m");
  EXPECT_EQ(printable(std::string_view("\0\x7f", 2)), "\\x00\\x7f");
  EXPECT_EQ(printable("bücher"), "bücher");
  EXPECT_EQ(printable("\xff\xc3"), "\\xff\\xc3");
  EXPECT_EQ(printable("\xc2\x85"), "\\xc2\\x85");           // NEXT LINE
  EXPECT_EQ(printable("\xe2\x80\xa8"), "\\xe2\\x80\\xa8");  // LINE SEPARATOR
}

TEST(Printable, CutsWhatIsLong) {
  EXPECT_EQ(printable("abcdef", 3), "abc…");
  EXPECT_EQ(printable("abc", 3), "abc");
  EXPECT_EQ(in_quotes("a\": b"), "\"a\\x22: b\"");
}

TEST(Printable, NeverShowsATicket) {
  EXPECT_EQ(printable("expected x, not \"ss1_AQCYabc-_\"!"), "expected x, not \"ss1_…\"!");
  EXPECT_EQ(printable("begins with ss1_"), "begins with ss1_");
  EXPECT_EQ(printable(printable("\"ss1_AQCYabc\"")), "\"ss1_…\"");
  EXPECT_EQ(printable("ss1_AQCY…"), "ss1_…");  // cut already
}

TEST(Alternatives, ReadsAsASentence) {
  const std::array<std::string_view, 3> words{"a", "b", "c"};
  EXPECT_EQ(alternatives(std::span(words).first(0)), "");
  EXPECT_EQ(alternatives(std::span(words).first(1)), "a");
  EXPECT_EQ(alternatives(std::span(words).first(2)), "a or b");
  EXPECT_EQ(alternatives(words), "a, b or c");
}

TEST(DidYouMean, FindsTheClosestWord) {
  const std::array<std::string_view, 5> known{"publish", "backend", "proxy_protocol", "tls", "off"};
  EXPECT_EQ(did_you_mean("pubish", known), " (did you mean \"publish\"?)");
  EXPECT_EQ(did_you_mean("Backend", known), " (did you mean \"backend\"?)");
  EXPECT_EQ(did_you_mean("proxy-protocol", known), " (did you mean \"proxy_protocol\"?)");
  EXPECT_EQ(did_you_mean("tsl", known), " (did you mean \"tls\"?)");
  EXPECT_EQ(did_you_mean("backned", known), " (did you mean \"backend\"?)");
  EXPECT_EQ(did_you_mean("certificate", known), "");
  EXPECT_EQ(did_you_mean("x", known), "");
  EXPECT_EQ(did_you_mean("", known), "");
  EXPECT_EQ(did_you_mean(std::string(100, 'x'), known), "");
}

}  // namespace
}  // namespace sidestream
