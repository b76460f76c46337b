#include "control/ban_messages.h"

#include <gtest/gtest.h>

namespace sidestream::control {
namespace {

std::string parsed(std::string_view text) {
  const auto network = parse_banned_network(text);
  return network ? network->text() : network.error();
}

TEST(BanMessages, ReadsWhoIsMeant) {
  EXPECT_EQ(parsed("198.51.100.7"), "198.51.100.7/32");
  EXPECT_EQ(parsed("198.51.100.0/24"), "198.51.100.0/24");
  EXPECT_EQ(parsed("::ffff:198.51.100.7"), "198.51.100.7/32");
  EXPECT_EQ(parsed("::ffff:198.51.100.0/120"), "198.51.100.0/24");
  EXPECT_EQ(parsed("2001:db8::1"), "2001:db8::/64");
  EXPECT_EQ(parsed("2001:db8::1/128"), "2001:db8::1/128");
  EXPECT_EQ(parsed("2001:db8::/48"), "2001:db8::/48");
}

TEST(BanMessages, SaysWhatCannotBeBanned) {
  EXPECT_EQ(parsed("home"),
            "\"home\": expected an address, or a network such as 198.51.100.0/24 or 2001:db8::/48");
  EXPECT_EQ(parsed("0.0.0.0/0"),
            "\"0.0.0.0/0\": that is too many to be banned; a network has at least /8, and `deny` "
            "of a service takes any");
  EXPECT_EQ(parsed("2000::/3"),
            "\"2000::/3\": that is too many to be banned; a network has at least /16, and `deny` "
            "of a service takes any");
}

TEST(BanMessages, SayTheSameWhenTheyAreRead) {
  const IpPrefix network = *IpPrefix::parse("198.51.100.7");
  const BanRequest ban{.network = network, .time = 600s};
  EXPECT_EQ(serialize(ban), R"({"network":"198.51.100.7/32","seconds":600})");
  EXPECT_EQ(parse_ban_request(serialize(ban)), ban);
  EXPECT_EQ(parse_ban_answer(serialize(BanAnswer{3})), BanAnswer{3});
  EXPECT_EQ(parse_unban_request(serialize(UnbanRequest{network})), UnbanRequest{network});
  EXPECT_EQ(parse_unban_answer(serialize(UnbanAnswer{true})), UnbanAnswer{true});
  const KeptBans kept{.written = WallTime(1'795'305'600s), .networks = {{network, 5s}}};
  EXPECT_EQ(serialize(kept),
            R"({"written":1795305600,"bans":[{"network":"198.51.100.7/32","seconds":5}]})");
  EXPECT_EQ(parse_kept_bans(serialize(kept)), kept);
}

TEST(BanMessages, AreCheckedAsAWhole) {
  EXPECT_EQ(parse_ban_request(R"({"network":"x","seconds":1})").error(),
            "network: \"x\": expected an address, or a network such as 198.51.100.0/24 or "
            "2001:db8::/48");
  EXPECT_FALSE(parse_ban_request(R"({"network":"198.51.100.7","seconds":0})"));
  EXPECT_FALSE(parse_ban_request(R"({"network":"198.51.100.7","seconds":31536001})"));
  EXPECT_FALSE(parse_ban_request(R"({"network":"198.51.100.7"})"));
  EXPECT_FALSE(parse_kept_bans(R"({"written":0,"bans":[{"network":"198.51.100.7"}]})"));
}

TEST(BanMessages, GiveTheTimeThatIsLeft) {
  constexpr Instant start{100s};
  BanList list(4);
  list.ban(start, *IpPrefix::parse("198.51.100.7"), 10s);
  list.ban(start, *IpPrefix::parse("198.51.100.8"), 2s);
  EXPECT_EQ(banned_networks(list, start + 3500ms),
            (std::vector<BannedNetwork>{{*IpPrefix::parse("198.51.100.7"), 7s}}));
}

}  // namespace
}  // namespace sidestream::control
