#include "sidecar/client_rules.h"

#include <gtest/gtest.h>

namespace sidestream::sidecar {
namespace {

std::vector<ClientRule> rules(std::initializer_list<std::string_view> texts) {
  std::vector<ClientRule> result;
  for (const std::string_view text : texts) result.push_back(*ClientRule::parse(text));
  return result;
}

ClientFacts client(std::string_view address) {
  return {.address = *IpAddress::parse(address)};
}

TEST(ClientRules, WithoutAnyEverybodyIsTaken) {
  const ClientRules none;
  EXPECT_TRUE(none.take(client("192.0.2.1")));
  EXPECT_TRUE(none.take({}));
}

TEST(ClientRules, AllowNamesAllThatAreTaken) {
  const ClientRules some{.allow = rules({"198.51.100.0/24", "2001:db8::/32"}), .deny = {}};
  EXPECT_TRUE(some.take(client("198.51.100.255")));
  EXPECT_FALSE(some.take(client("198.51.101.0")));
  EXPECT_TRUE(some.take(client("2001:db8:ffff::1")));
  EXPECT_FALSE(some.take(client("2001:db9::1")));
}

TEST(ClientRules, DenyWins) {
  const ClientRules but{.allow = rules({"198.51.100.0/24"}), .deny = rules({"198.51.100.7"})};
  EXPECT_TRUE(but.take(client("198.51.100.6")));
  EXPECT_FALSE(but.take(client("198.51.100.7")));
  const ClientRules alone{.allow = {}, .deny = rules({"198.51.100.0/25"})};
  EXPECT_FALSE(alone.take(client("198.51.100.7")));
  EXPECT_TRUE(alone.take(client("198.51.100.128")));
  EXPECT_TRUE(alone.take(client("::1")));
}

TEST(ClientRules, OneClientHasOneAddressHoweverItIsWritten) {
  const ClientRules v4{.allow = rules({"198.51.100.0/24"}), .deny = {}};
  EXPECT_TRUE(v4.take(client("::ffff:198.51.100.9")));
  const ClientRules mapped{.allow = {}, .deny = rules({"::ffff:198.51.100.0/120"})};
  EXPECT_EQ(mapped.deny.front().text(), "198.51.100.0/24");
  EXPECT_FALSE(mapped.take(client("198.51.100.9")));
  EXPECT_FALSE(mapped.take(client("::ffff:198.51.100.9")));
  // All of IPv6 is none of IPv4.
  const ClientRules v6{.allow = rules({"::/0"}), .deny = {}};
  EXPECT_TRUE(v6.take(client("2001:db8::1")));
  EXPECT_FALSE(v6.take(client("::ffff:198.51.100.9")));
}

TEST(ClientRules, WhoeverIsNotKnownIsNotTakenWhereThereAreRules) {
  EXPECT_FALSE((ClientRules{.allow = rules({"0.0.0.0/0", "::/0"}), .deny = {}}.take({})));
  EXPECT_FALSE((ClientRules{.allow = {}, .deny = rules({"192.0.2.1"})}.take({})));
}

TEST(ClientRules, SaysWhatIsNoNetwork) {
  const auto problem = [](std::string_view text) { return ClientRule::parse(text).error(); };
  EXPECT_EQ(problem("198.51.100.7/24"),
            "\"198.51.100.7/24\": this is an address in a network; write the network, "
            "198.51.100.0/24, or the address alone, 198.51.100.7");
  const std::string expected =
      ": expected a network such as 198.51.100.0/24 or 2001:db8::/32, or an address";
  for (const std::string_view text :
       {"", "all", "198.51.100", "198.51.100.0/33", "198.51.100.0/", "::/129", "a.example.com",
        "198.51.100.0/24 ", "[::1]", "198.51.100.1:22", "198.51.100.0/255.255.255.0"})
    EXPECT_EQ(problem(text), "\"" + std::string(text) + "\"" + expected);
}

TEST(ClientRules, KnowsWhatCoversWhat) {
  const auto rule = [](std::string_view text) { return *ClientRule::parse(text); };
  EXPECT_TRUE(rule("198.51.100.0/24").covers(rule("198.51.100.7")));
  EXPECT_TRUE(rule("198.51.100.0/24").covers(rule("198.51.100.0/24")));
  EXPECT_FALSE(rule("198.51.100.0/25").covers(rule("198.51.100.0/24")));
  EXPECT_FALSE(rule("198.51.100.0/24").covers(rule("198.51.101.0/25")));
  EXPECT_FALSE(rule("::/0").covers(rule("198.51.100.7")));
}

}  // namespace
}  // namespace sidestream::sidecar
