#include "sidecar/sidecar_environment.h"

#include <gtest/gtest.h>

#include "sidecar/sidecar_configuration.h"
#include "tests/support/configuration_examples.h"

namespace sidestream::sidecar {
namespace {

using Environment = std::map<std::string, std::string>;

std::expected<SidecarConfiguration, ConfigurationProblems> read(Environment environment) {
  ExampleWorld world{std::move(environment), {}};
  world.files["/run/secrets/ticket"] = std::string(example_ticket) + "\r\n";
  world.files["/run/secrets/empty"] = "\n";
  world.files["/run/secrets/key"] = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n";
  return read_sidecar_configuration(std::nullopt, world.sources());
}

std::string problems_of(Environment environment) {
  const auto result = read(std::move(environment));
  return result ? "" : joined_lines(result.error());
}

Environment with_edge(Environment environment) {
  environment["SIDESTREAM_TICKET"] = example_ticket;
  return environment;
}

Environment with_service(Environment environment) {
  environment["SIDESTREAM_PUBLISH"] = ":22";
  environment["SIDESTREAM_BACKEND"] = "sshd:22";
  return environment;
}

Environment with_both(Environment environment) {
  return with_edge(with_service(std::move(environment)));
}

TEST(SidecarEnvironment, TakesTheTicketItselfOrAFile) {
  EXPECT_EQ(
      problems_of(with_service({{"SIDESTREAM_TICKET", " " + std::string(example_ticket) + "\n"}})),
      "");
  EXPECT_EQ(problems_of(with_service({{"SIDESTREAM_TICKET_FILE", "/run/secrets/ticket"}})), "");
}

TEST(SidecarEnvironment, WritesAnEdgeOut) {
  const auto result = read(
      with_service({{"SIDESTREAM_EDGE_ENDPOINT", "vps.example.com:51820, [2001:db8::1]:51820"},
                    {"SIDESTREAM_EDGE_PUBLIC_KEY", "gBkLFfpjWGOjVZqpcVbWWQpMSB3oDZiX2UPyByVcEiU="},
                    {"SIDESTREAM_EDGE_PRIVATE_KEY_FILE", "/run/secrets/key"},
                    {"SIDESTREAM_EDGE_ADDRESS", "10.86.0.2"},
                    {"SIDESTREAM_EDGE_EDGE_ADDRESS", "10.86.0.1"}}));
  ASSERT_TRUE(result) << joined_lines(result.error());
  ASSERT_EQ(result->edges.size(), 1U);
  EXPECT_EQ(result->edges[0].endpoints.size(), 2U);
  EXPECT_EQ(result->edges[0].own_address.text(), "10.86.0.2");
  EXPECT_EQ(result->edges[0].own_public_key.text(), "j0DFrbaPJWJK5bIU6nZ6bslNgp09e14a0bpvPiE4KF8=");
}

TEST(SidecarEnvironment, GivesEveryKeyOfTheService) {
  const auto result =
      read(with_edge({{"SIDESTREAM_PUBLISH", "a.example.com,:2222  *.b.example.com\n,"},
                      {"SIDESTREAM_BACKEND", "app:1, unix:/run/x [::1]:3"},
                      {"SIDESTREAM_TLS", "passthrough"},
                      {"SIDESTREAM_PROXY_PROTOCOL", "v2"},
                      {"SIDESTREAM_HEALTH_INTERVAL", "9s"},
                      {"SIDESTREAM_HEALTH_TIMEOUT", "1s"},
                      {"SIDESTREAM_ALLOW", "198.51.100.0/24, 2001:db8::1"},
                      {"SIDESTREAM_DENY", "198.51.100.7"},
                      {"SIDESTREAM_HEALTH_RISE", "2"},
                      {"SIDESTREAM_HEALTH_FALL", "5"},
                      {"SIDESTREAM_BALANCE", "least_streams"},
                      {"SIDESTREAM_SLOW_START", "30s"},
                      {"SIDESTREAM_SERVICE_STREAMS", "50"},
                      {"SIDESTREAM_SERVICE_PER_CLIENT", "5"},
                      {"SIDESTREAM_SERVICE_RATE", "10/s"},
                      {"SIDESTREAM_PRIORITY", "7"},
                      {"SIDESTREAM_LIMITS_STREAMS", "500"},
                      {"SIDESTREAM_TUNNEL_MTU", "1380"},
                      {"SIDESTREAM_ADMIN", "unix:/x/a.sock 127.0.0.1:9"},
                      {"SIDESTREAM_LOG_FORMAT", "json"},
                      {"SIDESTREAM_GRACE", "1m"}}));
  ASSERT_TRUE(result) << joined_lines(result.error());
  ASSERT_EQ(result->services.size(), 1U);
  const ServiceConfiguration& service = result->services[0];
  EXPECT_EQ(service.name, environment_service);
  EXPECT_EQ(service.publish.size(), 3U);
  EXPECT_EQ(service.backends.size(), 3U);
  EXPECT_EQ(service.choice, (BackendChoiceSettings{Balance::least_streams, 30s}));
  EXPECT_EQ(service.tls, TlsMode::passthrough);
  EXPECT_EQ(service.proxy_protocol, ProxyProtocol::v2);
  EXPECT_EQ(service.health, (HealthSettings{HealthKind::tcp, 9s, 1s, std::nullopt, 2, 5}));
  EXPECT_EQ(service.limits, (ServiceLimits{50, 5, 10}));
  EXPECT_EQ(service.priority, 7U);
  EXPECT_EQ(result->limits.streams, 500U);
  EXPECT_EQ(result->tunnel.mtu, 1380U);
  EXPECT_EQ(result->program.admin.unix_path, "/x/a.sock");
  EXPECT_EQ(result->program.admin.addresses.size(), 1U);
  EXPECT_EQ(result->program.log.format, LogFormat::json);
  EXPECT_EQ(result->program.grace, 1min);
}

TEST(SidecarEnvironment, SaysWhatIsWrong) {
  const std::string ticket(example_ticket);
  struct Case {
    Environment environment;
    std::string expected;
  };
  for (const Case& test : std::vector<Case>{
           {with_service({{"SIDESTREAM_TICKET", ticket.substr(0, 99)}}),
            "SIDESTREAM_TICKET: the ticket is cut off: its end is missing; paste the whole line\n"},
           {with_service({{"SIDESTREAM_TICKET", "${X}"}}),  // nothing is replaced here
            "SIDESTREAM_TICKET: this is not a ticket; a ticket is the line that `sidestream "
            "invite` prints and begins with ss1_\n"},
           {with_service({{"SIDESTREAM_TICKET", ticket + "," + ticket}}),
            "SIDESTREAM_TICKET: this is the same edge as edges[0]; one entry for each edge, remove "
            "one of the two\n"},
           {with_both({{"SIDESTREAM_TICKET_FILE", "/run/secrets/ticket"}}),
            "SIDESTREAM_TICKET_FILE: is set, and so is SIDESTREAM_TICKET; unset one of the two\n"},
           {with_service({{"SIDESTREAM_TICKET_FILE", "/none"}}),
            "SIDESTREAM_TICKET_FILE: cannot read /none: No such file or directory\n"},
           {with_service({{"SIDESTREAM_TICKET_FILE", "/run/secrets/empty"}}),
            "SIDESTREAM_TICKET_FILE: is empty\n"},
           {with_both({{"SIDESTREAM_EDGE_ADDRESS", "10.86.0.2"}}),
            "SIDESTREAM_EDGE_ADDRESS: the ticket says this already; remove it, or remove "
            "`ticket`\n"},
           {with_edge({{"SIDESTREAM_PUBLISH", ":22"}}),
            "SIDESTREAM_BACKEND: is not set, but SIDESTREAM_PUBLISH is; set it to the backend, "
            "HOST:PORT or unix:/PATH\n"},
           {with_edge({{"SIDESTREAM_BACKEND", "a:22"}}),
            "SIDESTREAM_PUBLISH: is not set, but SIDESTREAM_BACKEND is; set it to the endpoints to "
            "publish, such as electrum.example.com or :2222\n"},
           {with_edge({{"SIDESTREAM_PUBLISH", "22 a.example.com a.example.com"},
                       {"SIDESTREAM_BACKEND", "a"}}),
            "SIDESTREAM_PUBLISH: \"22\": a port alone is written with a colon: write :PORT\n"
            "SIDESTREAM_PUBLISH: \"a.example.com\" is published already, by "
            "services.default.publish[1] (SIDESTREAM_PUBLISH); remove one of the two\n"
            "SIDESTREAM_BACKEND: \"a\": the port is missing; write HOST:PORT\n"},
           {with_edge({{"SIDESTREAM_PUBLISH", ticket}, {"SIDESTREAM_BACKEND", "a:1"}}),
            "SIDESTREAM_PUBLISH: \"ss1_…\": the parts between dots have at most 63 bytes\n"},
           {with_both({{"SIDESTREAM_TLS", "terminate"},
                       {"SIDESTREAM_CERTIFICATE", "self-signed"},
                       {"SIDESTREAM_CERTIFICATE_CHAIN", "/run/secrets/key"},
                       {"SIDESTREAM_CERTIFICATE_KEY", "/run/secrets/empty"}}),
            "SIDESTREAM_CERTIFICATE_CHAIN: is set, and so is SIDESTREAM_CERTIFICATE; unset one of "
            "the two\n"
            "SIDESTREAM_CERTIFICATE_KEY: is set, and so is SIDESTREAM_CERTIFICATE; unset one of "
            "the two\n"},
           {with_both({{"SIDESTREAM_ALLOW", "198.51.100.0/24 home"}}),
            "SIDESTREAM_ALLOW: \"home\": expected a network such as 198.51.100.0/24 or "
            "2001:db8::/32, or an address\n"},
           {with_both({{"SIDESTREAM_TUNNEL_MTU", "9"}, {"SIDESTREAM_HEALTH", "sh"}}),
            "SIDESTREAM_HEALTH: expected tcp, tls, ssh, electrum or none, not \"sh\"\n"
            "SIDESTREAM_TUNNEL_MTU: expected a whole number from 576 to 9000, not \"9\"\n"},
       })
    EXPECT_EQ(problems_of(test.environment), test.expected);
}

}  // namespace
}  // namespace sidestream::sidecar
