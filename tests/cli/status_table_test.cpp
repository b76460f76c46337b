#include "cli/status_table.h"

#include <gtest/gtest.h>

namespace sidestream::cli {
namespace {

using namespace control;

TunnelStatus tunnel() {
  TunnelStatus tunnel;
  tunnel.remote = "203.0.113.9:41641";
  tunnel.last_handshake_ago = 34s;
  tunnel.last_heartbeat_ago = 1200ms;
  tunnel.round_trip = 42ms;
  tunnel.bytes_received = 1'240'000'000;
  tunnel.bytes_sent = 30'000'000;
  return tunnel;
}

TEST(StatusTable, Edge) {
  EdgeStatus status;
  status.version = "0.1.0";
  status.uptime = 76h;
  status.endpoint = "vps.example.com:51820";
  status.public_key = "gBkLFfpjWGOjVZqpcVbWWQpMSB3oDZiX2UPyByVcEiU=";
  status.public_address = "::";
  status.public_ports = "443, 50001-50002";
  status.router = "embedded";
  status.streams = 1;
  status.streams_in_all = 1204;
  status.refused = {{"unknown name", 3}, {"no hello", 0}, {"too many", 1}};
  EdgeSidecarStatus home;
  home.name = "home";
  home.tunnel_address = "10.86.0.2";
  home.present = true;
  home.tunnel = tunnel();
  home.streams = 12;
  home.endpoints = {{"a.example.com", "web", EndpointState::granted, ""},
                    {":2222", "ssh", EndpointState::refused, "port 2222 is not open"}};
  EdgeSidecarStatus shed;
  shed.name = "shed";
  shed.tunnel_address = "10.86.0.3";
  status.sidecars = {home, shed};
  EXPECT_EQ(
      status_table(Status(status)),
      "sidestream edge 0.1.0, up 3.2 d, router embedded, sidecars dial vps.example.com:51820\n"
      "public key gBkLFfpjWGOjVZqpcVbWWQpMSB3oDZiX2UPyByVcEiU=\n"
      "public :: ports 443, 50001-50002, 1 stream open, 1,204 since the start\n"
      "refused: 3 unknown name, 1 too many\n"
      "\n"
      "SIDECAR  STATE  TUNNEL     FROM               HANDSHAKE  HEARTBEAT  ROUND TRIP  STREAMS  "
      "RECEIVED  SENT\n"
      "home     here   10.86.0.2  203.0.113.9:41641  34 s ago   1.2 s ago  42 ms       12       "
      "1.2 GB    30 MB\n"
      "shed     away   10.86.0.3  -                  never      never      -           0        "
      "0 B       0 B\n"
      "\n"
      "ENDPOINT       SIDECAR  SERVICE  STATE    WHY\n"
      "a.example.com  home     web      granted\n"
      ":2222          home     ssh      refused  port 2222 is not open\n");
  status.sidecars = {shed};
  EXPECT_TRUE(status_table(status).ends_with("\nNo sidecar publishes anything at the moment.\n"));
  status.sidecars = {};
  EXPECT_NE(status_table(status).find("No sidecar is enrolled: `sidestream invite"),
            std::string::npos);
}

TEST(StatusTable, Sidecar) {
  SidecarStatus status;
  status.version = "0.1.0";
  status.uptime = 2h;
  status.edges = {{"vps.example.com:51820", "up", "0.1.0", "", tunnel()}};
  ServiceStatus electrum{"electrum", "electrs:50001", "healthy", "", 3, {}};
  electrum.endpoints = {
      {"electrum.example.com", "vps.example.com:51820", PublishState::published, ""},
      {":50002", "vps.example.com:51820", PublishState::refused, "port 50002 is not open"}};
  ServiceStatus ssh{"ssh", "nas:22", "unhealthy", "connection refused", 0, {}};
  ssh.endpoints = {
      {":2222", "vps.example.com:51820", PublishState::withdrawn, "connection refused"}};
  ServiceStatus idle{"idle", "nas:80", "unknown", "", 0, {}};
  status.services = {electrum, ssh, idle};
  EXPECT_EQ(status_table(Status(status)),
            "sidestream sidecar 0.1.0, up 2 h\n"
            "\n"
            "EDGE                   TUNNEL  ADDRESS            HANDSHAKE  HEARTBEAT  ROUND TRIP  "
            "RECEIVED  SENT   PROBLEM\n"
            "vps.example.com:51820  up      203.0.113.9:41641  34 s ago   1.2 s ago  42 ms       "
            "1.2 GB    30 MB\n"
            "\n"
            "SERVICE   BACKEND        HEALTH     STREAMS  ENDPOINT              STATE      WHY\n"
            "electrum  electrs:50001  healthy    3        electrum.example.com  published\n"
            "                                             :50002                refused    port "
            "50002 is not open\n"
            "ssh       nas:22         unhealthy  0        :2222                 withdrawn  "
            "connection refused\n"
            "idle      nas:80         unknown    0        -                     -\n");
}

TEST(StatusTable, WithSeveralEdgesEachEndpointNamesItsEdge) {
  SidecarStatus status;
  status.edges = {{"one:1", "up", "", "", {}}, {"two:2", "lost", "", "no answer", {}}};
  status.services = {{"web",
                      "b:1",
                      "healthy",
                      "",
                      0,
                      {{"a.example.com", "one:1", PublishState::published, ""},
                       {"a.example.com", "two:2", PublishState::waiting, "no answer"}}}};
  const std::string text = status_table(status);
  EXPECT_NE(text.find("ENDPOINT       EDGE   STATE"), std::string::npos) << text;
  EXPECT_NE(text.find("a.example.com  two:2  waiting    see PROBLEM above"), std::string::npos)
      << text;
}

TEST(StatusTable, ShowsEachOfSeveralBackends) {
  SidecarStatus status;
  ServiceStatus db{"db", "db-1:5432, db-2:5432", "healthy", "", 4, {}};
  db.backends = {{"db-1:5432", "unhealthy", "Connection refused", 1},
                 {"db-2:5432", "healthy", "", 3}};
  ServiceStatus web{"web", "web:80", "healthy", "", 0, {}};
  web.backends = {{"web:80", "healthy", "", 0}};
  status.services = {db, web};
  const std::string text = status_table(status);
  EXPECT_TRUE(
      text.ends_with("db       2 backends  1 of 2 healthy  4        -         -\n"
                     "web      web:80      healthy         0        -         -\n"
                     "\n"
                     "BACKENDS OF  BACKEND    HEALTH     STREAMS  WHY\n"
                     "db           db-1:5432  unhealthy  1        Connection refused\n"
                     "             db-2:5432  healthy    3\n"))
      << text;
}

TEST(StatusTable, ShowsCertificatesAndWhatIsWrongWithThem) {
  SidecarStatus status;
  ServiceStatus web{"web", "b:1", "healthy", "", 0, {}};
  web.certificate = control::CertificateStatus{
      "files", "expires on 2026-11-28 16:16 UTC", {{"a.test, b.test", "2026-11-28", "AA:BB"}}};
  ServiceStatus electrum{"electrum", "e:1", "healthy", "", 0, {}};
  electrum.certificate = control::CertificateStatus{"self-signed", "no folder", {}};
  status.services = {web, electrum};
  const std::string text = status_table(status);
  EXPECT_TRUE(text.ends_with(
      "CERTIFICATE OF  FROM         NAMES           VALID UNTIL  SHA-256  PROBLEM\n"
      "web             files        a.test, b.test  2026-11-28   AA:BB    expires on 2026-11-28 "
      "16:16 UTC\n"
      "electrum        self-signed  -               -            -        no folder\n"))
      << text;
}

TEST(StatusTable, SaysWhatIsMissing) {
  const std::string text = status_table(SidecarStatus());
  EXPECT_NE(text.find("No edge is configured."), std::string::npos);
  EXPECT_NE(text.find("No service is configured."), std::string::npos);
}

TEST(StatusTable, SaysHowTheTailnetStands) {
  control::EdgeStatus status;
  status.tailnet.emplace();
  status.tailnet->name = "vps.tn.test";
  status.tailnet->state = "NeedsLogin";
  status.tailnet->addresses = {"100.64.0.2"};
  status.tailnet->userspace = true;
  status.tailnet->key_expiry = "2026-12-04 00:00 UTC";
  status.tailnet->problem = "it has to log in";
  status.tailnet->warnings = {"slow"};
  status.tailnet->paths = {{"100.64.0.9", "192.0.2.1:41641", "", "", 12ms},
                           {"100.64.0.8", "", "hs", "", {}}};
  const std::string text = status_table(status);
  EXPECT_NE(text.find("tailnet node vps.tn.test, NeedsLogin, 100.64.0.2, in user space, key until "
                      "2026-12-04 00:00 UTC\nTAILNET PROBLEM: it has to log in\n"
                      "tailnet path to 100.64.0.9: direct, 192.0.2.1:41641, 12 ms\n"
                      "tailnet path to 100.64.0.8: relayed by hs\n"
                      "tailnet warning: slow\n"),
            std::string::npos)
      << text;
}

TEST(StatusTable, SaysWhatBecomesOfLabels) {
  SidecarStatus status;
  status.docker = control::DiscoveryStatus{"unix:/run/docker.sock", true, "", 1, {}};
  std::string text = status_table(status);
  EXPECT_TRUE(
      text.ends_with("No container offers a service at the moment.\n\n"
                     "Labels of 1 container at unix:/run/docker.sock\n"))
      << text;
  status.docker = control::DiscoveryStatus{
      "proxy:2375", false, "Connection refused", 2, {"container a: wrong"}};
  text = status_table(status);
  EXPECT_TRUE(text.ends_with(
      "\nLabels of 2 containers at proxy:2375, which cannot be read now: Connection refused\n"
      "  container a: wrong\n"))
      << text;
}

}  // namespace
}  // namespace sidestream::cli
