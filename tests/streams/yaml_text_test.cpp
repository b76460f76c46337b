#include "streams/yaml_text.h"

#include <gtest/gtest.h>

namespace sidestream {
namespace {

std::string problem(std::string_view text) {
  const auto found = find_text_problem(text, 1000);
  if (!found) return "";
  return std::to_string(found->mark.line) + ":" + std::to_string(found->mark.column) + " " +
         found->message;
}

TEST(YamlText, AcceptsPlainText) {
  EXPECT_EQ(problem(""), "");
  EXPECT_EQ(problem("a: b\r\nc: \"bücher €😀\"\n"), "");
  EXPECT_EQ(problem("a: b\t# a tab between value and comment\n\t\n \t# comment"), "");
  EXPECT_EQ(problem("\xef\xbb\xbf"
                    "a: b"),
            "");
}

TEST(YamlText, FindsWhatNoParserShouldSee) {
  EXPECT_EQ(problem("a: 1\n\tb: 2"), "2:1 a tab in the indentation; YAML wants spaces");
  EXPECT_EQ(problem("a:\n  \tb: 2"), "2:3 a tab in the indentation; YAML wants spaces");
  EXPECT_EQ(problem(std::string_view("a\0b", 3)),
            "1:2 a NUL byte; the file must be plain UTF-8 text, not UTF-16 or binary");
  EXPECT_EQ(problem("a: \x1b[1m"),
            "1:4 a control character; remove it, it may have come in with a paste");
  EXPECT_EQ(problem("a:\nb: \xe9"), "2:4 a byte that is not UTF-8; save the file as UTF-8");
  EXPECT_EQ(problem(std::string(1001, 'a')),
            "1:1 the document has more than 1000 bytes; is this the right file?");
}

TEST(YamlText, KnowsUtf8) {
  EXPECT_EQ(utf8_sequence_bytes("a"), 1U);
  EXPECT_EQ(utf8_sequence_bytes("é"), 2U);
  EXPECT_EQ(utf8_sequence_bytes("€"), 3U);
  EXPECT_EQ(utf8_sequence_bytes("😀"), 4U);
  for (const std::string_view wrong :
       {"", "\x80", "\xc0\x80", "\xc1\xbf", "\xc3", "\xc3(", "\xe0\x80\x80", "\xed\xa0\x80",
        "\xf0\x80\x80\x80", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xe2\x82"})
    EXPECT_EQ(utf8_sequence_bytes(wrong), 0U);
}

TEST(YamlText, FindsPlaces) {
  const std::string_view text = "ab\ncd\n\ne";
  for (std::size_t offset = 0; offset <= text.size(); ++offset)
    EXPECT_EQ(offset_of(text, mark_at(text, offset)), offset);
  EXPECT_EQ(mark_at(text, 4), (Mark{2, 2}));
  EXPECT_EQ(offset_of(text, {9, 1}), text.size());
}

}  // namespace
}  // namespace sidestream
