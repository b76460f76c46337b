#include "sidecar/sidecar_configuration.h"

#include <gtest/gtest.h>

#include "tests/support/configuration_examples.h"

namespace sidestream::sidecar {
namespace {

using Result = std::expected<SidecarConfiguration, ConfigurationProblems>;

Result read(const ConfigurationText& file, const ExampleWorld& world = example_world()) {
  return read_sidecar_configuration(file, world.sources());
}

std::string problems_of(const Result& result) {
  return result ? "" : joined_lines(result.error());
}

SidecarConfiguration example(std::string_view name) {
  for (const ConfigurationExample& found : configuration_examples("valid", name)) {
    auto result = read(found.text);
    if (result) return std::move(*result);
  }
  ADD_FAILURE() << name;
  return {};
}

TEST(SidecarConfiguration, AcceptsEveryValidExample) {
  const auto examples = configuration_examples("valid", "sidecar");
  EXPECT_GE(examples.size(), 3U);
  for (const ConfigurationExample& found : examples)
    EXPECT_EQ(problems_of(read(found.text)), "") << found.text.name;
}

TEST(SidecarConfiguration, ExplainsEveryInvalidExample) {
  const auto examples = configuration_examples("invalid", "sidecar");
  EXPECT_GE(examples.size(), 13U);
  for (const ConfigurationExample& found : examples) {
    const std::string problems = problems_of(read(found.text));
    EXPECT_EQ(problems, found.expected) << found.text.name;
    EXPECT_FALSE(problems.empty()) << found.text.name;
    EXPECT_FALSE(problems.contains("s3cret")) << found.text.name;
    EXPECT_FALSE(problems.contains("AQBz")) << found.text.name;
  }
}

TEST(SidecarConfiguration, ReadsTheDocumentedExample) {
  const SidecarConfiguration configuration = example("sidecar_design");
  ASSERT_EQ(configuration.edges.size(), 1U);
  EXPECT_EQ(configuration.edges[0].name(), "vps.example.com:51820");
  EXPECT_EQ(configuration.edges[0].own_address.text(), "10.86.0.2");
  EXPECT_EQ(configuration.edges[0].prefix_length, 24U);
  EXPECT_EQ(configuration.edges[0].own_public_key.text(),
            "gBkLFfpjWGOjVZqpcVbWWQpMSB3oDZiX2UPyByVcEiU=");
  ASSERT_EQ(configuration.services.size(), 2U);
  const ServiceConfiguration& electrum = configuration.services[0];
  EXPECT_EQ(electrum.name, "electrum");
  EXPECT_EQ(electrum.publish[0].text(), "electrum.example.com");
  EXPECT_EQ(electrum.publish[1].text(), ":50002");
  EXPECT_EQ(electrum.tls_of(electrum.publish[0]), TlsMode::passthrough);
  EXPECT_EQ(electrum.tls_of(electrum.publish[1]), TlsMode::off);
  EXPECT_EQ(electrum.health, HealthSettings{});
  const ServiceConfiguration& ssh = configuration.services[1];
  EXPECT_EQ(ssh.health.kind, HealthKind::ssh);
  ASSERT_EQ(ssh.rules.allow.size(), 1U);
  EXPECT_EQ(ssh.rules.allow[0].text(), "198.51.100.0/24");
  EXPECT_EQ(ssh.limits, (ServiceLimits{.streams = 50, .per_client = 5, .per_second = 10}));
  EXPECT_EQ(configuration.tunnel, control::TunnelSettings{});
  control::ProgramConfiguration program;  // what the example says is what the defaults are
  program.has_state = program.has_admin = true;
  EXPECT_EQ(configuration.program, program);
}

TEST(SidecarConfiguration, ReadsEveryKey) {
  const SidecarConfiguration configuration = example("sidecar_everything");
  ASSERT_EQ(configuration.edges.size(), 2U);
  const EdgeEntry& written_out = configuration.edges[1];
  EXPECT_EQ(written_out.endpoints.size(), 2U);
  EXPECT_EQ(written_out.endpoints[1].text(), "[2001:db8::1]:51820");
  EXPECT_EQ(written_out.public_key.text(), "gBkLFfpjWGOjVZqpcVbWWQpMSB3oDZiX2UPyByVcEiU=");
  EXPECT_EQ(written_out.own_public_key.text(), "j0DFrbaPJWJK5bIU6nZ6bslNgp09e14a0bpvPiE4KF8=");
  EXPECT_FALSE(written_out.preshared_key.is_zero());
  EXPECT_EQ(written_out.own_address.text(), "10.87.0.2");
  EXPECT_EQ(written_out.edge_address.text(), "10.87.0.1");
  EXPECT_EQ(written_out.prefix_length, 32U);

  ASSERT_EQ(configuration.services.size(), 2U);
  const ServiceConfiguration& first = configuration.services[0];
  EXPECT_EQ(first.backends[2].address.text(), "app:5432");
  EXPECT_EQ(first.tls, TlsMode::passthrough);
  EXPECT_EQ(first.tls_of(first.publish[2]), TlsMode::passthrough);
  EXPECT_EQ(first.proxy_protocol, ProxyProtocol::v2);
  EXPECT_EQ(first.health, (HealthSettings{HealthKind::tcp, 10s, 1500ms, 8008}));
  EXPECT_EQ(first.priority, 10U);
  const ServiceConfiguration& second = configuration.services[1];
  EXPECT_EQ(second.backends[0].address.unix_path, "/run/app.sock");
  EXPECT_EQ(second.tls, TlsMode::off);
  ASSERT_EQ(second.rules.allow.size(), 3U);
  EXPECT_EQ(second.rules.allow[2].text(), "192.0.2.1");
  ASSERT_EQ(second.rules.deny.size(), 1U);
  EXPECT_EQ(second.proxy_protocol, ProxyProtocol::v1);
  EXPECT_EQ(second.health.kind, HealthKind::none);

  EXPECT_EQ(configuration.tunnel, (control::TunnelSettings{control::TunnelMode::userspace, 1380}));
  EXPECT_EQ(configuration.program.state, "/state");
  EXPECT_EQ(configuration.program.admin.unix_path, "/tmp/admin.sock");
  EXPECT_EQ(configuration.program.admin.addresses.size(), 2U);
  EXPECT_EQ(configuration.program.log, (LogSettings{LogLevel::debug, LogFormat::json}));
}

TEST(SidecarConfiguration, NeedsNoFile) {
  const ExampleWorld world{{{"SIDESTREAM_TICKET", std::string(example_ticket)},
                            {"SIDESTREAM_PUBLISH", "a.example.com, :2222"},
                            {"SIDESTREAM_BACKEND", "sshd:22"}},
                           {}};
  const auto result = read_sidecar_configuration(std::nullopt, world.sources());
  ASSERT_TRUE(result) << problems_of(result);
  EXPECT_EQ(result->edges[0].name(), "vps.example.com:51820");
  EXPECT_EQ(result->services[0].name, "default");
  EXPECT_EQ(result->services[0].publish.size(), 2U);
}

TEST(SidecarConfiguration, SaysWhatIsMissingWithoutAFile) {
  EXPECT_EQ(problems_of(read_sidecar_configuration(std::nullopt, ExampleWorld{}.sources())),
            "environment: no edge: set SIDESTREAM_TICKET to the ticket that `sidestream invite` "
            "printed, or give a file: --config FILE\n"
            "environment: no service: set SIDESTREAM_PUBLISH and SIDESTREAM_BACKEND, or give a "
            "file: --config FILE\n");
}

// How file and environment go together: what the file does not have comes from the environment.
TEST(SidecarConfiguration, FillsTheFileUpFromTheEnvironment) {
  ExampleWorld world = example_world();
  world.environment["SIDESTREAM_TICKET"] = std::string(example_ticket);
  const auto edge_only =
      read({"f", "services: {web: {publish: a.example.com, backend: 'app:443'}}"}, world);
  ASSERT_TRUE(edge_only) << problems_of(edge_only);
  EXPECT_EQ(edge_only->edges.size(), 1U);

  world.environment["SIDESTREAM_PUBLISH"] = ":22";
  world.environment["SIDESTREAM_BACKEND"] = "sshd:22";
  const auto both = read({"f", "log: {level: warn}"}, world);
  ASSERT_TRUE(both) << problems_of(both);
  EXPECT_EQ(both->services[0].name, "default");
  EXPECT_EQ(both->program.log.level, LogLevel::warn);
}

TEST(SidecarConfiguration, RefusesVariablesThatWouldDoNothing) {
  ExampleWorld world = example_world();
  world.environment["SIDESTREAM_TICKET"] = std::string(example_ticket);
  world.environment["SIDESTREAM_BACKEND"] = "sshd:22";
  const std::string services = "services: {web: {publish: a.example.com, backend: 'app:443'}}\n";
  EXPECT_EQ(
      problems_of(read({"f", "edges: [{ticket: '${TICKET}'}]\n" + services}, world)),
      "SIDESTREAM_TICKET: is set, but f has `edges` of its own that does not use it; unset "
      "it, or remove `edges`\n"
      "SIDESTREAM_BACKEND: is set, but f has `services` of its own that does not use it; unset "
      "it, or remove `services`\n");
  // Used by the file itself, they are fine.
  EXPECT_EQ(problems_of(read({"f",
                              "edges: [{ticket: '${SIDESTREAM_TICKET}'}]\n"
                              "services: {web: {publish: a.example.com, backend: "
                              "'${SIDESTREAM_BACKEND}'}}\n"},
                             world)),
            "");
}

}  // namespace
}  // namespace sidestream::sidecar
