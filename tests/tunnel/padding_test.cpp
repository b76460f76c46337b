#include "tunnel/padding.h"

#include <gtest/gtest.h>

#include "tests/support/vectors.h"

namespace sidestream::tunnel {
namespace {

TEST(Padding, LinuxAndWireguardGoAgree) {
  const Vector vector = load_vector("wireguard.json", "payload_padding");
  const auto& cases = vector.inputs.at("cases").as_array();
  ASSERT_EQ(cases.size(), 161U);
  for (std::size_t i = 0; i < cases.size(); ++i) {
    const std::size_t length = number_of_json(cases[i].at("length"));
    const std::size_t mtu = number_of_json(cases[i].at("mtu"));
    EXPECT_EQ(padding_of(length, mtu), number_of_json(vector.expect.at("padding").at(i)))
        << length << " " << mtu;
  }
}

TEST(Padding, NeverGoesBeyondTheMtu) {
  for (std::size_t length = 0; length <= 1420; ++length) {
    EXPECT_LE(length + padding_of(length, 1420), 1420U);
    EXPECT_LT(padding_of(length, 1420), padding_multiple);
  }
}

}  // namespace
}  // namespace sidestream::tunnel
