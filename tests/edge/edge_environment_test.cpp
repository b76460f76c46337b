#include "edge/edge_environment.h"

#include <gtest/gtest.h>

#include "edge/edge_configuration.h"
#include "tests/support/configuration_examples.h"

namespace sidestream::edge {
namespace {

auto read(std::map<std::string, std::string> environment,
          const std::optional<ConfigurationText>& file = std::nullopt) {
  const ExampleWorld world{std::move(environment), {}};
  return read_edge_configuration(file, world.sources());
}

TEST(EdgeEnvironment, NeedsNoFile) {
  const auto result = read({{"SIDESTREAM_ENDPOINT", "vps.example.com:51820"},
                            {"SIDESTREAM_TUNNEL_LISTEN", "0.0.0.0:51821"},
                            {"SIDESTREAM_TUNNEL_NETWORK", "10.87.0.0/24"},
                            {"SIDESTREAM_PUBLIC_ADDRESS", "203.0.113.1"},
                            {"SIDESTREAM_PUBLIC_PORTS", "443, 2222 50001-50002"},
                            {"SIDESTREAM_ROUTER", "embedded"},
                            {"SIDESTREAM_LIMITS_STREAMS", "500"},
                            {"SIDESTREAM_LIMITS_PER_CLIENT", "5"},
                            {"SIDESTREAM_LIMITS_HELLO_TIMEOUT", "2s"},
                            {"SIDESTREAM_STATE", "/state"}});
  ASSERT_TRUE(result) << joined_lines(result.error());
  EXPECT_EQ(result->endpoints.size(), 1U);
  EXPECT_EQ(result->listen.text(), "0.0.0.0:51821");
  EXPECT_EQ(result->network.text(), "10.87.0.0/24");
  EXPECT_EQ(result->public_address.text(), "203.0.113.1");
  EXPECT_EQ(result->public_ports.size(), 3U);
  EXPECT_EQ(result->limits, (EdgeLimits{500, 5, 2s, true}));
  EXPECT_EQ(result->program.state, "/state");
}

TEST(EdgeEnvironment, SaysWhatIsMissing) {
  const auto result = read({});
  ASSERT_FALSE(result);
  EXPECT_EQ(joined_lines(result.error()),
            "environment: no endpoint: set SIDESTREAM_ENDPOINT to the HOST:PORT that sidecars "
            "dial, or give a file: --config FILE\n");
}

TEST(EdgeEnvironment, GoesTogetherWithAFile) {
  const ConfigurationText file{"f", "endpoint: vps.example.com:51820\npublic: {ports: [443]}"};
  const auto both = read({{"SIDESTREAM_PUBLIC_ADDRESS", "::1"}}, file);
  ASSERT_TRUE(both) << joined_lines(both.error());
  EXPECT_EQ(both->public_address.text(), "::1");
  const auto idle = read({{"SIDESTREAM_PUBLIC_PORTS", "444"}}, file);
  ASSERT_FALSE(idle);
  EXPECT_EQ(joined_lines(idle.error()),
            "SIDESTREAM_PUBLIC_PORTS: is set, but f has `public.ports` of its own that does not "
            "use it; unset it, or remove `public.ports`\n");
}

}  // namespace
}  // namespace sidestream::edge
