#include "streams/escaped_text.h"

#include <gtest/gtest.h>

#include <vector>

#include "tests/support/seeded_random.h"

namespace sidestream {
namespace {

using std::string_view_literals::operator""sv;

TEST(EscapedText, LeavesPrintableAsciiAlone) {
  EXPECT_EQ(escaped_text("electrum.example.com:50002 (ok)"), "electrum.example.com:50002 (ok)");
}

TEST(EscapedText, EscapesWhatCouldFakeALineOrDriveATerminal) {
  EXPECT_EQ(escaped_text("a\nb\r\tc"), "a\\nb\\r\\tc");
  EXPECT_EQ(escaped_text("\x1b[2Jgone"), "\\x1b[2Jgone");
  EXPECT_EQ(escaped_text("say \"hi\" \\ bye"), "say \\\"hi\\\" \\\\ bye");
  EXPECT_EQ(escaped_text("nul\0here\x7f"sv), "nul\\x00here\\x7f");
  EXPECT_EQ(escaped_text("\u202eevil"), "\\xe2\\x80\\xaeevil");
}

TEST(EscapedText, SaysHowMuchWasCutOff) {
  EXPECT_EQ(escaped_text("abcdef", 4), "abcd...(2 more bytes)");
  EXPECT_EQ(escaped_text("abcd", 4), "abcd");
  EXPECT_LT(escaped_text(std::string(100'000, '\n')).size(), 1100U);
}

TEST(WordOrQuoted, QuotesOnlyWhatNeedsIt) {
  EXPECT_EQ(word_or_quoted("198.51.100.7:443"), "198.51.100.7:443");
  EXPECT_EQ(word_or_quoted("[2001:db8::7]:443"), "[2001:db8::7]:443");
  EXPECT_EQ(word_or_quoted("*.example.com"), "*.example.com");
  EXPECT_EQ(word_or_quoted(""), "\"\"");
  EXPECT_EQ(word_or_quoted("two words"), "\"two words\"");
  EXPECT_EQ(word_or_quoted("key=value"), "\"key=value\"");
  EXPECT_EQ(word_or_quoted("a\nb"), "\"a\\nb\"");
}

TEST(JsonString, EscapesControlCharactersAndQuotes) {
  EXPECT_EQ(json_string("plain"), "\"plain\"");
  EXPECT_EQ(json_string("a\"b\\c\n\x01"), "\"a\\\"b\\\\c\\n\\u0001\"");
}

TEST(JsonString, WritesUnicodeAsEscapes) {
  EXPECT_EQ(json_string("\u00e9\u20ac\U0001f600"), "\"\\u00e9\\u20ac\\ud83d\\ude00\"");
}

TEST(JsonString, ReplacesWhatIsNoUtf8) {
  EXPECT_EQ(json_string("\xff"), "\"\\ufffd\"");
  EXPECT_EQ(json_string("\xc3"), "\"\\ufffd\"");
  EXPECT_EQ(json_string("\xc0\xaf"), "\"\\ufffd\\ufffd\"");             // too long a form
  EXPECT_EQ(json_string("\xed\xa0\x80"), "\"\\ufffd\\ufffd\\ufffd\"");  // half of a pair
  EXPECT_EQ(json_string("\xf8\x88\x80\x80\x80").find_first_not_of("\"\\ufd"), std::string::npos);
}

TEST(EscapedText, AnyBytesBecomePrintableAscii) {
  SeededRandom random(3);
  for (int round = 0; round < 2000; ++round) {
    std::vector<std::uint8_t> bytes(random.below(40));
    random.fill(bytes);
    for (const std::string& text : {escaped_text(text_of(bytes)), word_or_quoted(text_of(bytes)),
                                    json_string(text_of(bytes))}) {
      for (const char letter : text) {
        ASSERT_GE(letter, 0x20);
        ASSERT_LT(letter, 0x7f);
      }
    }
  }
}

}  // namespace
}  // namespace sidestream
