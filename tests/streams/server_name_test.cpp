#include "streams/server_name.h"

#include <gtest/gtest.h>

#include <array>
#include <random>
#include <string>

namespace sidestream {
namespace {

ServerName name(std::string_view text) {
  return ServerName::parse_with_wildcard(text).value();
}

TEST(ServerNameTest, NormalizesCaseAndTheTrailingDot) {
  EXPECT_EQ(ServerName::parse("A.Example.COM").value().text(), "a.example.com");
  EXPECT_EQ(ServerName::parse("a.example.com.").value().text(), "a.example.com");
  EXPECT_EQ(ServerName::parse("_srv.under_score.test").value().text(), "_srv.under_score.test");
  EXPECT_EQ(ServerName::parse("localhost").value().text(), "localhost");
  EXPECT_EQ(ServerName::parse("xn--mnchen-3ya.example").value().text(), "xn--mnchen-3ya.example");
  EXPECT_EQ(ServerName::parse("10.42.0.243").value().text(), "10.42.0.243");
}

TEST(ServerNameTest, RefusesImpossibleNames) {
  const auto error = [](std::string_view text) { return ServerName::parse(text).error(); };
  EXPECT_EQ(error(""), ServerNameError::empty);
  EXPECT_EQ(error("."), ServerNameError::empty_label);
  EXPECT_EQ(error("a.."), ServerNameError::empty_label);
  EXPECT_EQ(error(".a"), ServerNameError::empty_label);
  EXPECT_EQ(error("a..b"), ServerNameError::empty_label);
  EXPECT_EQ(error(std::string_view("a.test\0.evil", 12)), ServerNameError::bad_character);
  EXPECT_EQ(error("a b"), ServerNameError::bad_character);
  EXPECT_EQ(error("a\nb"), ServerNameError::bad_character);
  EXPECT_EQ(error("m\xc3\xbcnchen.example"), ServerNameError::bad_character);
  EXPECT_EQ(error("a:443"), ServerNameError::bad_character);
  EXPECT_EQ(error("2001:db8::1"), ServerNameError::bad_character);
  EXPECT_EQ(error("*.example.com"), ServerNameError::bad_character);
}

TEST(ServerNameTest, LimitsLengths) {
  const std::string label(63, 'a');
  EXPECT_TRUE(ServerName::parse(label));
  EXPECT_EQ(ServerName::parse(label + "a").error(), ServerNameError::label_too_long);
  const std::string longest = label + "." + label + "." + label + "." + std::string(61, 'b');
  ASSERT_EQ(longest.size(), 253U);
  EXPECT_TRUE(ServerName::parse(longest));
  EXPECT_TRUE(ServerName::parse(longest + "."));
  EXPECT_EQ(ServerName::parse(longest + "b").error(), ServerNameError::too_long);
  EXPECT_EQ(ServerName::parse_with_wildcard("*." + longest).error(), ServerNameError::too_long);
  // Its wildcard is shorter than the name unless the first label has one byte.
  EXPECT_EQ(ServerName::parse(longest)->wildcard()->text(), "*" + longest.substr(63));
}

TEST(ServerNameTest, WildcardStandsForOneLabel) {
  const ServerName wildcard = name("*.Example.com.");
  EXPECT_TRUE(wildcard.is_wildcard());
  EXPECT_EQ(wildcard.text(), "*.example.com");
  EXPECT_TRUE(wildcard.matches(name("www.example.com")));
  EXPECT_TRUE(wildcard.matches(wildcard));
  EXPECT_FALSE(wildcard.matches(name("example.com")));
  EXPECT_FALSE(wildcard.matches(name("a.b.example.com")));
  EXPECT_FALSE(wildcard.matches(name("wwwexample.com")));
  EXPECT_FALSE(wildcard.wildcard());
  EXPECT_FALSE(name("localhost").wildcard());
  EXPECT_FALSE(name("www.example.com").matches(wildcard));
  EXPECT_EQ(name("a.b.example.com").wildcard(), name("*.b.example.com"));
  for (const char* bad : {"*", "*.", "**.a", "*a.b", "a.*.b", "*.*.a"})
    EXPECT_FALSE(ServerName::parse_with_wildcard(bad)) << bad;
}

TEST(ServerNameTest, KnowsIpLiterals) {
  EXPECT_TRUE(name("127.0.0.1").is_ip_literal());
  EXPECT_TRUE(name("999.0.0.1").is_ip_literal());
  EXPECT_FALSE(name("1.2.3").is_ip_literal());
  EXPECT_FALSE(name("1.2.3.4a").is_ip_literal());
  EXPECT_FALSE(name("1.2.3.4.example.com").is_ip_literal());
}

// Fault 64: whatever form a name arrives in, it is normalised to one value or refused, and
// normalising is idempotent.
TEST(ServerNameTest, NormalizingIsIdempotentAndClosed) {
  std::mt19937 random(64);
  constexpr std::string_view alphabet("aAbZ09-_.*\0 \n\xc3\xbc:/", 17);
  for (int round = 0; round < 100'000; ++round) {
    std::string text(random() % 12, '\0');
    for (char& c : text) c = alphabet[random() % alphabet.size()];
    const auto parsed = ServerName::parse_with_wildcard(text);
    if (!parsed) continue;
    EXPECT_EQ(ServerName::parse_with_wildcard(parsed->text()), *parsed);
    EXPECT_EQ(ServerName::parse_with_wildcard(parsed->text() + "."), *parsed);
    EXPECT_EQ(parsed->text().find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-_.*"),
              std::string::npos);
    EXPECT_FALSE(parsed->text().ends_with('.'));
    EXPECT_EQ(parsed->text().rfind('*'), parsed->is_wildcard() ? 0 : std::string::npos);
  }
}

TEST(ServerNameTest, ErrorsHaveTexts) {
  for (int i = 0; i <= static_cast<int>(ServerNameError::bad_character); ++i)
    EXPECT_FALSE(text_of(static_cast<ServerNameError>(i)).empty());
}

}  // namespace
}  // namespace sidestream
