#include "edge/edge_configuration.h"

#include <gtest/gtest.h>

#include "tests/support/configuration_examples.h"

namespace sidestream::edge {
namespace {

using Result = std::expected<EdgeConfiguration, ConfigurationProblems>;

Result read(const ConfigurationText& file) {
  const ExampleWorld world = example_world();
  return read_edge_configuration(file, world.sources());
}

std::string problems_of(const Result& result) {
  return result ? "" : joined_lines(result.error());
}

EdgeConfiguration example(std::string_view name) {
  for (const ConfigurationExample& found : configuration_examples("valid", name)) {
    auto result = read(found.text);
    if (result) return std::move(*result);
  }
  ADD_FAILURE() << name;
  return {};
}

TEST(EdgeConfiguration, AcceptsEveryValidExample) {
  const auto examples = configuration_examples("valid", "edge");
  EXPECT_GE(examples.size(), 4U);
  for (const ConfigurationExample& found : examples)
    EXPECT_EQ(problems_of(read(found.text)), "") << found.text.name;
}

TEST(EdgeConfiguration, ExplainsEveryInvalidExample) {
  const auto examples = configuration_examples("invalid", "edge");
  EXPECT_GE(examples.size(), 9U);
  for (const ConfigurationExample& found : examples) {
    const std::string problems = problems_of(read(found.text));
    EXPECT_EQ(problems, found.expected) << found.text.name;
    EXPECT_FALSE(problems.empty()) << found.text.name;
    EXPECT_FALSE(problems.contains("s3cret")) << found.text.name;
  }
}

TEST(EdgeConfiguration, HasDefaults) {
  const EdgeConfiguration configuration = example("edge_smallest");
  EXPECT_EQ(configuration.endpoints[0].text(), "vps.example.com:51820");
  EXPECT_EQ(configuration.listen.text(), "[::]:51820");
  EXPECT_EQ(configuration.network.text(), "10.86.0.0/24");
  EXPECT_EQ(configuration.tunnel, control::TunnelSettings{});
  EXPECT_EQ(configuration.public_address.text(), "::");
  EXPECT_EQ(configuration.public_ports, (std::vector<PortRange>{{443, 443}}));
  EXPECT_TRUE(configuration.sidecars.empty());
  EXPECT_EQ(configuration.limits, EdgeLimits{});
  EXPECT_EQ(configuration.limits.hello_timeout, 5s);
  EXPECT_EQ(configuration.program, control::ProgramConfiguration{});
}

TEST(EdgeConfiguration, ReadsTheDocumentedExample) {
  const EdgeConfiguration configuration = example("edge_design");
  EXPECT_EQ(configuration.listen.text(), "0.0.0.0:51820");
  EXPECT_EQ(configuration.public_ports,
            (std::vector<PortRange>{{443, 443}, {2222, 2222}, {50001, 50002}}));
  ASSERT_EQ(configuration.sidecars.size(), 1U);
  EXPECT_EQ(configuration.sidecars[0].name, "home");
  EXPECT_EQ(configuration.sidecars[0].allow.size(), 3U);
}

TEST(EdgeConfiguration, ReadsEveryKey) {
  const EdgeConfiguration configuration = example("edge_everything");
  EXPECT_EQ(configuration.endpoints.size(), 3U);
  EXPECT_EQ(configuration.listen.text(), "[::]:51821");
  EXPECT_EQ(configuration.network.text(), "192.168.77.128/25");
  EXPECT_EQ(configuration.tunnel, (control::TunnelSettings{control::TunnelMode::userspace, 1280}));
  EXPECT_EQ(configuration.public_address.text(), "192.0.2.1");
  EXPECT_EQ(configuration.public_ports, (std::vector<PortRange>{{443, 443}, {50001, 50002}}));
  ASSERT_EQ(configuration.sidecars.size(), 2U);
  EXPECT_FALSE(configuration.sidecars[0].preshared_key.is_zero());
  EXPECT_EQ(configuration.sidecars[0].address->text(), "192.168.77.200");
  EXPECT_EQ(configuration.sidecars[1].allow[0].text(), "shed.example.com");
  EXPECT_EQ(configuration.limits, (EdgeLimits{5000, 100, 3s, true}));
  EXPECT_EQ(configuration.program.state, "/state");
  EXPECT_EQ(configuration.program.admin.addresses.size(), 2U);
  EXPECT_EQ(configuration.program.metrics->text(), "192.0.2.9:50001");
  EXPECT_EQ(configuration.program.log, (LogSettings{LogLevel::warn, LogFormat::json}));
}

TEST(EdgeConfiguration, SaysWhatNeedsARestart) {
  const EdgeConfiguration now;
  EdgeConfiguration wanted;
  wanted.public_ports = {{2222, 2222}};
  wanted.limits.streams = 7;
  EXPECT_TRUE(keys_for_restart(now, wanted).empty());
  wanted.tunnel.mtu = 1300;
  wanted.public_address = *IpAddress::parse("192.0.2.1");
  EXPECT_EQ(keys_for_restart(now, wanted), (std::vector<std::string>{"tunnel", "public.address"}));
}

}  // namespace
}  // namespace sidestream::edge
