#include "streams/address_watch_io.h"

#include <gtest/gtest.h>
#include <linux/rtnetlink.h>

#include <cstring>
#include <vector>

#include "tests/support/kernel_loop_io.h"

namespace sidestream {
namespace {

template <typename T>
std::vector<std::uint8_t> message(std::uint16_t type, const T& content) {
  nlmsghdr header{};
  header.nlmsg_len = NLMSG_LENGTH(sizeof content);
  header.nlmsg_type = type;
  std::vector<std::uint8_t> bytes(NLMSG_ALIGN(header.nlmsg_len));
  std::memcpy(bytes.data(), &header, sizeof header);
  std::memcpy(&bytes[NLMSG_HDRLEN], &content, sizeof content);
  return bytes;
}

ifaddrmsg address(std::uint8_t scope) {
  ifaddrmsg content{};
  content.ifa_scope = scope;
  return content;
}

rtmsg route(std::uint8_t table, std::uint8_t type) {
  rtmsg content{};
  content.rtm_table = table;
  content.rtm_type = type;
  return content;
}

TEST(AddressWatch, TellsOfAddressesAndRoutesThatReachOthers) {
  EXPECT_TRUE(tells_of_change(message(RTM_NEWADDR, address(RT_SCOPE_UNIVERSE))));
  EXPECT_TRUE(tells_of_change(message(RTM_DELADDR, address(RT_SCOPE_UNIVERSE))));
  EXPECT_FALSE(tells_of_change(message(RTM_NEWADDR, address(RT_SCOPE_LINK))));
  EXPECT_FALSE(tells_of_change(message(RTM_NEWADDR, address(RT_SCOPE_HOST))));
  EXPECT_TRUE(tells_of_change(message(RTM_NEWROUTE, route(RT_TABLE_MAIN, RTN_UNICAST))));
  EXPECT_TRUE(tells_of_change(message(RTM_DELROUTE, route(RT_TABLE_MAIN, RTN_UNICAST))));
  EXPECT_FALSE(tells_of_change(message(RTM_NEWROUTE, route(RT_TABLE_LOCAL, RTN_LOCAL))));
  EXPECT_FALSE(tells_of_change(message(RTM_NEWLINK, ifinfomsg{})));
}

TEST(AddressWatch, FindsTheOneThatMattersAmongSeveral) {
  std::vector<std::uint8_t> all = message(RTM_NEWROUTE, route(RT_TABLE_LOCAL, RTN_LOCAL));
  EXPECT_FALSE(tells_of_change(all));
  const auto second = message(RTM_DELADDR, address(RT_SCOPE_UNIVERSE));
  all.insert(all.end(), second.begin(), second.end());
  EXPECT_TRUE(tells_of_change(all));
  for (std::size_t length = 0; length < all.size(); ++length)
    EXPECT_FALSE(tells_of_change(Bytes(all).first(length))) << length;
}

TEST(AddressWatch, OpensWithoutPrivilegesAndWaits) {
  KernelLoop loop;
  const auto watch = open_address_watch(loop.executor());
  ASSERT_NE(watch, nullptr);
}

}  // namespace
}  // namespace sidestream
