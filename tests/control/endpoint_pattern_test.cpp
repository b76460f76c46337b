#include "control/endpoint_pattern.h"

#include <gtest/gtest.h>

#include <vector>

namespace sidestream::control {
namespace {

using Patterns = std::vector<EndpointPattern>;

EndpointPattern pattern(std::string_view text) {
  return EndpointPattern::parse(text).value();
}
Endpoint endpoint(std::string_view text) {
  return Endpoint::parse(text).value();
}
Patterns patterns(std::initializer_list<std::string_view> texts) {
  Patterns list;
  for (const std::string_view text : texts) list.push_back(pattern(text));
  return list;
}

TEST(EndpointPatternTest, ParsesAndPrints) {
  for (const char* text : {"*.example.com", "a.example.com", "a.example.com:443", ":2222",
                           ":50000-50099", "*.example.com:50000-50099"})
    EXPECT_EQ(pattern(text).text(), text);
  EXPECT_EQ(pattern(":7-7").text(), ":7");
  EXPECT_EQ(pattern("A.test:1-65535").text(), "a.test");
  EXPECT_EQ(EndpointPattern::parse(":2-1").error(),
            "\":2-1\": the lower port of a range comes first");
  for (const char* bad : {"", "*", ":", ":-", ":1-", ":-2", ":1-2-3", "1-2", "192.0.2.1", "a b:1"})
    EXPECT_FALSE(EndpointPattern::parse(bad)) << bad;
}

TEST(EndpointPatternTest, CoversByTheTable) {
  struct Row {
    const char* pattern;
    std::vector<const char*> covered;
    std::vector<const char*> not_covered;
  };
  const Row rows[] = {
      {"a.test", {"a.test", "a.test:50002"}, {"b.a.test", "*.a.test", "*.test", "test", ":443"}},
      {"a.test:443", {"a.test"}, {"a.test:444", ":443"}},
      {"a.test:10-20", {"a.test:10", "a.test:20"}, {"a.test", "a.test:9", "a.test:21", ":10"}},
      {"*.test", {"a.test", "*.test", "a.test:1"}, {"test", "a.b.test", "*.b.test", ":1"}},
      {"*.test:7", {"a.test:7", "*.test:7"}, {"a.test", "*.test", ":7"}},
      {":2222", {":2222"}, {":2223", "a.test:2222", "*.test:2222"}},
      {":10-20", {":10", ":15", ":20"}, {":9", ":21", "a.test:15"}},
  };
  for (const Row& row : rows) {
    for (const char* text : row.covered)
      EXPECT_TRUE(pattern(row.pattern).covers(endpoint(text))) << row.pattern << " " << text;
    for (const char* text : row.not_covered)
      EXPECT_FALSE(pattern(row.pattern).covers(endpoint(text))) << row.pattern << " " << text;
  }
}

TEST(EndpointPatternTest, MoreSpecificPatternsCompareGreater) {
  const char* const from_least_to_most[] = {"*.test", "*.test:1-1000", "*.test:443",
                                            "a.test", "a.test:1-1000", "a.test:443"};
  std::optional<Specificity> last;
  for (const char* text : from_least_to_most) {
    const auto now = coverage(patterns({text}), endpoint("a.test"));
    ASSERT_TRUE(now) << text;
    EXPECT_TRUE(!last || *last < *now) << text;
    last = now;
  }
  EXPECT_EQ(coverage(patterns({"*.test", "a.test", "b.test"}), endpoint("a.test")),
            coverage(patterns({"a.test"}), endpoint("a.test")));
  EXPECT_FALSE(coverage(patterns({"b.test"}), endpoint("a.test")));
}

// Fault 63: a wildcard, a parent or a child of somebody's name is claimed. `owner` and `claimant`
// are allow lists of two sidecars; whether the owner is online makes no difference.
TEST(EndpointPatternTest, PolicyTableOfOverlappingClaims) {
  struct Row {
    const char* claim;
    Patterns owner;
    Patterns claimant;
    Claim verdict;
  };
  const Row rows[] = {
      // Nothing is got by asking.
      {"a.test", patterns({"a.test"}), {}, Claim::not_covered},
      {"*.test", patterns({"a.test"}), patterns({"b.test"}), Claim::not_covered},
      {"test", patterns({"a.test"}), patterns({"*.test"}), Claim::not_covered},
      {"b.a.test", patterns({"a.test"}), patterns({"*.test"}), Claim::not_covered},
      {"*.a.test", patterns({"a.test"}), patterns({"a.test"}), Claim::not_covered},
      // The zone's owner may have the wildcard, but not the name that was given away from it.
      {"*.test", patterns({"a.test"}), patterns({"*.test"}), Claim::granted},
      {"a.test", patterns({"a.test"}), patterns({"*.test"}), Claim::owned_by_other},
      {"b.test", patterns({"a.test"}), patterns({"*.test"}), Claim::granted},
      {"a.test", patterns({"*.test"}), patterns({"a.test"}), Claim::granted},
      {"a.test:8443", patterns({"a.test"}), patterns({"*.test"}), Claim::owned_by_other},
      {"a.test:8443", patterns({"a.test:443"}), patterns({"*.test"}), Claim::granted},
      // Equal claims share.
      {"a.test", patterns({"a.test"}), patterns({"a.test"}), Claim::granted},
      {"a.test", patterns({"*.test"}), patterns({"*.test"}), Claim::granted},
      {"a.test", patterns({"a.test", "*.test"}), patterns({"a.test"}), Claim::granted},
      // Ports.
      {":2222", patterns({":2222"}), patterns({":1-65535"}), Claim::owned_by_other},
      {":2222", patterns({":1-65535"}), patterns({":2222"}), Claim::granted},
      {":2223", patterns({":2222"}), patterns({":2000-2999"}), Claim::granted},
      {":443", patterns({"a.test:443"}), patterns({":443"}), Claim::granted},
      {":443", patterns({"a.test:443"}), patterns({"a.test:443"}), Claim::not_covered},
  };
  for (const Row& row : rows) {
    const std::span<const EndpointPattern> others[] = {{}, row.owner};
    const ClaimVerdict verdict = decide_claim(endpoint(row.claim), row.claimant, others);
    EXPECT_EQ(verdict.claim, row.verdict) << row.claim << " row " << &row - rows;
    if (verdict.claim == Claim::owned_by_other) {
      EXPECT_EQ(verdict.owner, 1U);
    }
  }
}

}  // namespace
}  // namespace sidestream::control
