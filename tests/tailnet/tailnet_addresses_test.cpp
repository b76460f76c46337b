#include "tailnet/tailnet_addresses.h"

#include <gtest/gtest.h>

namespace sidestream::tailnet {
namespace {

IpAddress ip(const char* text) {
  return *IpAddress::parse(text);
}

TEST(TailnetAddresses, Ranges) {
  EXPECT_TRUE(is_tailnet_range(ip("100.64.0.1")));
  EXPECT_TRUE(is_tailnet_range(ip("::ffff:100.127.255.255")));
  EXPECT_TRUE(is_tailnet_range(ip("fd7a:115c:a1e0:b1a::7")));
  EXPECT_FALSE(is_tailnet_range(ip("100.115.92.5"))) << "ChromeOS";
  EXPECT_FALSE(is_tailnet_range(ip("100.128.0.1")));
  EXPECT_FALSE(is_tailnet_range(ip("fd7a:115c:a1e1::1")));
  EXPECT_TRUE(is_carrier_range(ip("100.115.92.5")));
}

// TS-19
TEST(TailnetAddresses, ACarriersAddressIsNoTailnets) {
  const std::vector<InterfaceAddress> all = {
      {"tailscale0", ip("100.64.0.1")}, {"ppp0", ip("100.70.1.2")}, {"eth0", ip("192.0.2.1")}};
  const auto told = carrier_addresses(all, {ip("100.64.0.1")});
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told.front().interface, "ppp0");
  EXPECT_EQ(carrier_addresses(all, {}).size(), 1U) << "nobody says which ones are the daemon's";
}

}  // namespace
}  // namespace sidestream::tailnet
