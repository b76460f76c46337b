#include "tunnel/tunnel_mtu.h"

#include <gtest/gtest.h>

#include "tests/support/vectors.h"

namespace sidestream::tunnel {
namespace {

TEST(TunnelMtu, IsThePathsLessTheOverhead) {
  const Vector vector = load_vector("wireguard.json", "mtu_arithmetic");
  EXPECT_EQ(outer_overhead(OuterFamily::ipv4), number_of_json(vector.inputs.at("overhead_ipv4")));
  EXPECT_EQ(outer_overhead(OuterFamily::ipv6), number_of_json(vector.inputs.at("overhead_ipv6")));
  EXPECT_EQ(default_tunnel_mtu, number_of_json(vector.expect.at("default_tunnel_mtu")));
  EXPECT_EQ(tunnel_mtu_min_for_ipv6,
            number_of_json(vector.expect.at("ipv6_inside_needs_at_least")));
  const auto& cases = vector.inputs.at("cases").as_array();
  ASSERT_EQ(cases.size(), 16U);
  for (std::size_t i = 0; i < cases.size(); ++i) {
    const bool v6 = text_of_json(cases[i].at("outer")) == "ipv6";
    EXPECT_EQ(tunnel_mtu_for(number_of_json(cases[i].at("path_mtu")),
                             v6 ? OuterFamily::ipv6 : OuterFamily::ipv4),
              number_of_json(vector.expect.at("tunnel_mtu").at(i)));
  }
  EXPECT_EQ(tunnel_mtu_for(60, OuterFamily::ipv4), 0U);
  EXPECT_EQ(tunnel_mtu_for(59, OuterFamily::ipv4), 0U);
}

}  // namespace
}  // namespace sidestream::tunnel
