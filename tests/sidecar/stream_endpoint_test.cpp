#include "sidecar/stream_endpoint.h"

#include <gtest/gtest.h>

#include <vector>

namespace sidestream::sidecar {
namespace {

std::string came_by(const std::vector<std::string>& publish, const std::string& name,
                    std::uint16_t port) {
  std::vector<control::Endpoint> endpoints;
  for (const std::string& text : publish) endpoints.push_back(*control::Endpoint::parse(text));
  const auto server_name =
      name.empty() ? std::optional<ServerName>() : std::optional(*ServerName::parse(name));
  return stream_endpoint(endpoints, server_name, port);
}

TEST(StreamEndpoint, TheEdgesChoiceIsFoundAgain) {
  const std::vector<std::string> all{"a.test", "*.test", "a.test:8443", ":8443", ":22"};
  EXPECT_EQ(came_by(all, "a.test", 443), "a.test");
  EXPECT_EQ(came_by(all, "A.TEST.", 8443), "a.test:8443");
  EXPECT_EQ(came_by(all, "b.test", 443), "*.test");
  EXPECT_EQ(came_by(all, "b.test", 8443), ":8443");
  EXPECT_EQ(came_by(all, "", 22), ":22");
}

TEST(StreamEndpoint, ARouterOnAnotherPortIsFoundByItsName) {
  EXPECT_EQ(came_by({"a.test", ":22"}, "a.test", 10443), "a.test");
  EXPECT_EQ(came_by({"*.test", "a.test"}, "a.test", 10443), "a.test");
}

TEST(StreamEndpoint, WithoutANameOneEndpointOnThePortLeavesNoDoubt) {
  EXPECT_EQ(came_by({"a.test", ":22"}, "", 443), "a.test");
  EXPECT_EQ(came_by({"a.test", "b.test"}, "", 443), ":443");
  EXPECT_EQ(came_by({":22"}, "c.test", 443), "c.test");
}

}  // namespace
}  // namespace sidestream::sidecar
