#include "control/endpoint_notation.h"

#include <gtest/gtest.h>

namespace sidestream::control {
namespace {

TEST(EndpointNotationTest, SplitsAtTheFirstColon) {
  const auto both = split_endpoint("a.test:1-2:3").value();
  EXPECT_EQ(both.name->text(), "a.test");
  EXPECT_EQ(both.ports, "1-2:3");
  EXPECT_FALSE(split_endpoint("a.test").value().ports);
  EXPECT_FALSE(split_endpoint(":").value().name);
  EXPECT_EQ(split_endpoint(":").value().ports, "");
}

TEST(EndpointNotationTest, PortsAreWholeNumbers) {
  EXPECT_EQ(parse_port("65535", "").value(), 65535);
  EXPECT_EQ(parse_port("0443", "").value(), 443);
  for (const char* bad : {"", "0", "65536", "+1", " 1", "1 ", "0x1", "1.0"})
    EXPECT_FALSE(parse_port(bad, "")) << bad;
}

TEST(EndpointNotationTest, ErrorsAreOnePrintableLine) {
  EXPECT_EQ(endpoint_error("a", "b"), "\"a\": b");
  EXPECT_EQ(endpoint_error("ss1_AQBfBAEJMTI3LjAuMC4x", "b"), "\"ss1_…\": b")
      << "a ticket is a secret";
  EXPECT_EQ(endpoint_error(std::string_view("\0\x1b[", 3), "b"), "\"\\x00\\x1b[\": b");
  EXPECT_EQ(endpoint_error(std::string(81, 'a'), "b"), "\"" + std::string(80, 'a') + "…\": b");
}

}  // namespace
}  // namespace sidestream::control
