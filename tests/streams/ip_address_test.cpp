#include "streams/ip_address.h"

#include <gtest/gtest.h>

namespace sidestream {
namespace {

TEST(IpAddress, ParsesAndPrintsBothFamilies) {
  EXPECT_EQ(IpAddress::parse("192.0.2.1")->text(), "192.0.2.1");
  EXPECT_EQ(IpAddress::parse("2001:db8::1")->text(), "2001:db8::1");
  EXPECT_FALSE(IpAddress::parse("192.0.2.256"));
  EXPECT_FALSE(IpAddress::parse("192.0.2"));
  EXPECT_FALSE(IpAddress::parse(""));
  EXPECT_FALSE(IpAddress::parse(std::string_view("10.0.0.1\0x", 10)));
}

TEST(IpAddress, UnmapsIpv4) {
  EXPECT_EQ(IpAddress::parse("::ffff:192.0.2.1")->unmapped().text(), "192.0.2.1");
  EXPECT_EQ(IpAddress::parse("2001:db8::1")->unmapped().text(), "2001:db8::1");
}

TEST(SocketAddress, NeedsBracketsForIpv6) {
  EXPECT_EQ(SocketAddress::parse("192.0.2.1:80")->text(), "192.0.2.1:80");
  EXPECT_EQ(SocketAddress::parse("[::1]:443")->text(), "[::1]:443");
  EXPECT_FALSE(SocketAddress::parse("::1:443"));
  EXPECT_FALSE(SocketAddress::parse("192.0.2.1"));
  EXPECT_FALSE(SocketAddress::parse("192.0.2.1:65536"));
  EXPECT_FALSE(SocketAddress::parse("192.0.2.1:080"));
}

TEST(IpPrefix, ClearsHostBitsAndContains) {
  const IpPrefix prefix = *IpPrefix::parse("10.86.255.7/20");
  EXPECT_EQ(prefix.text(), "10.86.240.0/20");
  EXPECT_TRUE(prefix.contains(*IpAddress::parse("10.86.241.1")));
  EXPECT_FALSE(prefix.contains(*IpAddress::parse("10.86.239.1")));
  EXPECT_FALSE(prefix.contains(*IpAddress::parse("::1")));
  EXPECT_TRUE(IpPrefix::parse("::/0")->contains(*IpAddress::parse("2001:db8::1")));
  EXPECT_FALSE(IpPrefix::parse("10.0.0.0/33"));
}

}  // namespace
}  // namespace sidestream
