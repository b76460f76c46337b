#include "control/ban_list.h"

#include <gtest/gtest.h>

namespace sidestream::control {
namespace {

constexpr Instant start{100s};

IpPrefix network(std::string_view text) {
  return *IpPrefix::parse(text);
}
IpAddress address(std::string_view text) {
  return *IpAddress::parse(text);
}

TEST(BanList, CoversItsNetworksForTheirTime) {
  BanList list(10);
  EXPECT_FALSE(list.covers(start, address("198.51.100.7")));
  EXPECT_TRUE(list.ban(start, network("198.51.100.7"), 10s));
  EXPECT_TRUE(list.ban(start, network("203.0.113.0/24"), 20s));
  EXPECT_TRUE(list.ban(start, network("2001:db8::/64"), 20s));
  EXPECT_TRUE(list.covers(start, address("198.51.100.7")));
  EXPECT_TRUE(list.covers(start, address("::ffff:198.51.100.7")));
  EXPECT_FALSE(list.covers(start, address("198.51.100.8")));
  EXPECT_TRUE(list.covers(start, address("203.0.113.255")));
  EXPECT_TRUE(list.covers(start, address("2001:db8::1:2:3:4")));
  EXPECT_FALSE(list.covers(start, address("2001:db8:0:1::1")));
  EXPECT_FALSE(list.covers(start + 10s, address("198.51.100.7")));
  EXPECT_TRUE(list.covers(start + 19s, address("203.0.113.7")));
}

TEST(BanList, EndsBeforeItsTimeAndBeginsAnew) {
  BanList list(10);
  EXPECT_TRUE(list.ban(start, network("198.51.100.7"), 10s));
  EXPECT_TRUE(list.ban(start + 5s, network("198.51.100.7"), 10s));
  EXPECT_EQ(list.size(), 1U);
  EXPECT_TRUE(list.covers(start + 12s, address("198.51.100.7")));
  EXPECT_FALSE(list.unban(network("198.51.100.0/24"))) << "another network";
  EXPECT_TRUE(list.unban(network("198.51.100.7")));
  EXPECT_FALSE(list.unban(network("198.51.100.7")));
  EXPECT_FALSE(list.covers(start + 12s, address("198.51.100.7")));
  EXPECT_EQ(list.size(), 0U);
}

TEST(BanList, OverlappingOnesEndEachByItself) {
  BanList list(10);
  EXPECT_TRUE(list.ban(start, network("198.51.100.0/24"), 10s));
  EXPECT_TRUE(list.ban(start, network("198.51.100.7"), 60s));
  EXPECT_TRUE(list.covers(start + 30s, address("198.51.100.7")));
  EXPECT_FALSE(list.covers(start + 30s, address("198.51.100.8")));
  EXPECT_TRUE(list.unban(network("198.51.100.7")));
  EXPECT_TRUE(list.covers(start + 5s, address("198.51.100.7")));
}

TEST(BanList, IsBoundedAndMakesRoomOfWhatIsOver) {
  BanList list(2);
  EXPECT_TRUE(list.ban(start, network("198.51.100.1"), 10s));
  EXPECT_TRUE(list.ban(start, network("198.51.100.2"), 20s));
  EXPECT_FALSE(list.ban(start, network("198.51.100.3"), 10s));
  EXPECT_TRUE(list.ban(start, network("198.51.100.2"), 30s)) << "it is there already";
  EXPECT_TRUE(list.ban(start + 10s, network("198.51.100.3"), 10s));
  EXPECT_EQ(list.bans(), (std::vector<Ban>{{network("198.51.100.2"), start + 30s},
                                           {network("198.51.100.3"), start + 20s}}));
  list.clear();
  EXPECT_FALSE(list.covers(start, address("198.51.100.2")));
}

TEST(BanList, AMappedNetworkIsTheOneThatItHolds) {
  EXPECT_EQ(unmapped(network("::ffff:198.51.100.0/120")).text(), "198.51.100.0/24");
  EXPECT_EQ(unmapped(network("::ffff:0:0/96")).text(), "0.0.0.0/0");
  EXPECT_EQ(unmapped(network("::/0")).text(), "::/0");
  EXPECT_EQ(unmapped(network("198.51.100.0/24")).text(), "198.51.100.0/24");
}

}  // namespace
}  // namespace sidestream::control
