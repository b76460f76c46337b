#include "control/configuration_values.h"

#include <gtest/gtest.h>

#include "control/endpoint.h"
#include "tests/support/configuration_fixture.h"

namespace sidestream::control {
namespace {

constexpr std::string_view key = "gBkLFfpjWGOjVZqpcVbWWQpMSB3oDZiX2UPyByVcEiU=";

TEST(ConfigurationValues, AreRead) {
  EXPECT_EQ(problems_of_reading(
                "['${HOST}:22', 10.86.0.2, " + std::string(key) + ", ':22']",
                [](const ConfigurationValue& list) {
                  const auto items = list.list(9);
                  EXPECT_EQ(read_host_port(items[0])->text(), "app:22");
                  EXPECT_EQ(read_tunnel_address(items[1])->text(), "10.86.0.2");
                  EXPECT_EQ(read_public_key(items[2])->text(), key);
                  EXPECT_EQ(read_private_key(items[2]), tunnel::PrivateKey::parse(key));
                  EXPECT_EQ(read_preshared_key(items[2]), tunnel::PresharedKey::parse(key));
                  EXPECT_EQ(read_parsed<Endpoint>(items[3])->text(), ":22");
                }),
            "");
}

TEST(ConfigurationValues, SayWhatIsWrong) {
  const auto host_port = [](const ConfigurationValue& v) { EXPECT_FALSE(read_host_port(v)); };
  const auto address = [](const ConfigurationValue& v) { EXPECT_FALSE(read_tunnel_address(v)); };
  const auto public_key = [](const ConfigurationValue& v) { EXPECT_FALSE(read_public_key(v)); };
  const auto private_key = [](const ConfigurationValue& v) { EXPECT_FALSE(read_private_key(v)); };
  const auto preshared = [](const ConfigurationValue& v) { EXPECT_FALSE(read_preshared_key(v)); };
  const auto endpoint = [](const ConfigurationValue& v) { EXPECT_FALSE(read_parsed<Endpoint>(v)); };

  EXPECT_EQ(problems_of_reading("a:x", host_port),
            "f:1:1: \"a:x\": the port must be a number from 1 to 65535");
  EXPECT_EQ(problems_of_reading("${WRONG}:x", host_port),
            "f:1:1: \"${WRONG}:x\": the port must be a number from 1 to 65535");
  for (const std::string wrong : {"0.0.0.0", "127.0.0.1", "::1", "224.0.0.1", "10.0.0.1/24", "x"})
    EXPECT_EQ(
        problems_of_reading("'" + wrong + "'", address),
        "f:1:1: expected an address inside the tunnel, such as 10.86.0.2, not \"" + wrong + "\"");
  EXPECT_EQ(problems_of_reading("abc", public_key),
            "f:1:1: expected a key of 44 characters as `sidestream keygen` prints it, not \"abc\"");
  EXPECT_EQ(problems_of_reading("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", public_key),
            "f:1:1: no private key has this public key; `sidestream keygen` makes a pair");
  for (const std::string_view wrong : {"s3cret", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}) {
    const std::string expected =
        "f:1:1: expected a key of 44 characters as `sidestream keygen` prints it (what is there is "
        "not shown)";
    EXPECT_EQ(problems_of_reading(wrong, private_key), expected);
    EXPECT_EQ(problems_of_reading(wrong, preshared), expected);
  }
  EXPECT_EQ(problems_of_reading("'2222'", endpoint),
            "f:1:1: \"2222\": a port alone is written with a colon: write :PORT");
}

TEST(PlainName, NeedsNoEscaping) {
  for (const std::string_view fine : {"a", "home", "my-nas_2", "2nd", "A"})
    EXPECT_TRUE(is_plain_name(fine)) << fine;
  EXPECT_TRUE(is_plain_name(std::string(63, 'x')));
  for (const std::string_view wrong : {"", "-a", "_a", "a b", "a.b", "ä", "a\n", "a/b"})
    EXPECT_FALSE(is_plain_name(wrong)) << wrong;
  EXPECT_FALSE(is_plain_name(std::string(64, 'x')));
}

}  // namespace
}  // namespace sidestream::control
