#include "edge/tunnel_network.h"

#include <gtest/gtest.h>

namespace sidestream::edge {
namespace {

std::string error(std::string_view text) {
  const auto network = parse_tunnel_network(text);
  return network ? "" : network.error();
}

TEST(TunnelNetwork, AcceptsWhatIsFit) {
  for (const std::string text : {"10.86.0.0/24", "192.168.77.128/25", "10.0.0.0/8", "172.16.0.4/30",
                                 "fd86::/64", "fd86:0:0:1::/126"})
    EXPECT_EQ(error(text), "") << text;
}

TEST(TunnelNetwork, SaysWhatIsWrong) {
  EXPECT_EQ(error("10.86.0.0"), "expected a network such as 10.86.0.0/24");
  EXPECT_EQ(error("x/24"), "expected a network such as 10.86.0.0/24");
  EXPECT_EQ(error("10.86.0.7/24"),
            "this is an address in a network; write the network, 10.86.0.0/24");
  EXPECT_EQ(error("10.86.0.0/31"), "the prefix must be from /8 to /30");
  EXPECT_EQ(error("fd86::/40"), "the prefix must be from /48 to /126");
  EXPECT_EQ(error("100.64.0.0/10"),
            "must not overlap 100.64.0.0/10, since tailnets and carriers use it; take one such as "
            "10.86.0.0/24");
  EXPECT_EQ(error("100.127.255.0/24"), error("100.64.0.0/10"));
  EXPECT_EQ(error("fd7a:115c:a1e0::/64"),
            "must not overlap fd7a:115c:a1e0::/48, since tailnets use it; take one such as "
            "10.86.0.0/24");
  for (const std::string wrong :
       {"127.0.0.0/24", "169.254.1.0/24", "224.0.0.0/24", "0.0.0.0/24", "fe80::/64", "ff02::/64"})
    EXPECT_TRUE(error(wrong).contains("must not overlap")) << wrong;
  EXPECT_EQ(error("::/64"), "this is the unspecified network; take one such as fd86::/64");
}

TEST(TunnelNetwork, GivesTheEdgeItsFirstAddress) {
  EXPECT_EQ(edge_address_in(*IpPrefix::parse("10.86.0.0/24")).text(), "10.86.0.1");
  EXPECT_EQ(edge_address_in(*IpPrefix::parse("192.168.77.128/25")).text(), "192.168.77.129");
  EXPECT_EQ(edge_address_in(*IpPrefix::parse("fd86::/64")).text(), "fd86::1");
}

TEST(TunnelNetwork, KnowsWhatASidecarCanHave) {
  const auto problem = [](std::string_view network, std::string_view address) {
    return sidecar_address_problem(*IpPrefix::parse(network), *IpAddress::parse(address));
  };
  EXPECT_EQ(problem("10.86.0.0/24", "10.86.0.2"), "");
  EXPECT_EQ(problem("10.86.0.0/24", "10.86.0.254"), "");
  EXPECT_EQ(problem("10.86.0.0/24", "10.86.1.2"), "is not in the tunnel's network 10.86.0.0/24");
  EXPECT_EQ(problem("10.86.0.0/24", "fd86::2"), "is not in the tunnel's network 10.86.0.0/24");
  EXPECT_EQ(problem("10.86.0.0/24", "10.86.0.1"), "is the edge's own address");
  EXPECT_EQ(problem("10.86.0.0/24", "10.86.0.0"), "is the network's own address");
  EXPECT_EQ(problem("10.86.0.0/24", "10.86.0.255"), "is the network's broadcast address");
  EXPECT_EQ(problem("fd86::/126", "fd86::3"), "");
}

TEST(TunnelNetwork, CountsAddresses) {
  const auto count = [](std::string_view network) {
    return sidecar_addresses_in(*IpPrefix::parse(network));
  };
  EXPECT_EQ(count("10.86.0.0/24"), 253U);
  EXPECT_EQ(count("10.86.0.0/30"), 1U);
  EXPECT_EQ(count("fd86::/126"), 2U);
  EXPECT_EQ(count("fd86::/64"), 1U << 31U);
}

}  // namespace
}  // namespace sidestream::edge
