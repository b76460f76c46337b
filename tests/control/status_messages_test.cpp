#include "control/status_messages.h"

#include <gtest/gtest.h>

#include <string>

namespace sidestream::control {
namespace {

TunnelStatus tunnel() {
  return {"203.0.113.9:41641", 34s, 1200ms, 42'500us, 12, 34};
}

EdgeStatus edge() {
  EdgeStatus status{"0.1.0", 5s, "vps:51820", "key", "::", "443", "haproxy", "it is down",
                    1,       2,  {},          {},    0,    0,     {}};
  status.refused = {{"unknown name", 3}};
  status.tunnel_connections = 8;
  status.timers = 9;
  status.predecessors = {{4711, "0.0.9", 12}, {4712, "0.1.0", 0}};
  status.sidecars = {{"home",
                      "10.86.0.2",
                      true,
                      "0.1.0",
                      "nas",
                      tunnel(),
                      7,
                      {{"a.example.com", "web", EndpointState::granted, ""},
                       {":2222", "ssh", EndpointState::waiting, "opening"}}},
                     {"shed", "10.86.0.3", false, "", "", {}, 0, {}}};
  return status;
}

SidecarStatus sidecar() {
  SidecarStatus status{"0.1.0", 5s, {{"vps:51820", "up", "0.1.0", "", tunnel()}}, {}, 0, 0, {}, {}};
  status.services = {{"web",
                      "nas:80",
                      "unhealthy",
                      "refused",
                      0,
                      {{"a.example.com", "vps:51820", PublishState::withdrawn, "refused"},
                       {":2222", "vps:51820", PublishState::published, ""}}}};
  status.docker =
      DiscoveryStatus{"unix:/run/docker.sock", false, "it is gone", 3, {"container a: no", "b"}};
  status.tailnet.emplace();
  status.tailnet->state = "Running";
  status.tailnet->addresses = {"100.64.0.1"};
  return status;
}

TEST(StatusMessages, RoundTrip) {
  EXPECT_EQ(parse_status(serialize(edge())), Status(edge()));
  EXPECT_EQ(parse_status(serialize(sidecar())), Status(sidecar()));
  EXPECT_EQ(parse_status(serialize(EdgeStatus())), Status(EdgeStatus()));
  EXPECT_EQ(parse_status(serialize(SidecarStatus())), Status(SidecarStatus()));
}

TEST(StatusMessages, WireForm) {
  SidecarStatus status;
  status.version = "0.1.0";
  status.uptime = 1500ms;
  TunnelStatus tunnel;
  tunnel.round_trip = 42ms;
  status.edges = {{"vps:1", "up", "0.1.0", "", tunnel}};
  EXPECT_EQ(serialize(status),
            R"({"program":"sidecar","version":"0.1.0","uptime_ms":1500,"edges":[{"edge":"vps:1",)"
            R"("tunnel_state":"up","edge_version":"0.1.0","problem":"","tunnel":{"remote":"",)"
            R"("last_handshake_ago_ms":null,"last_heartbeat_ago_ms":null,"round_trip_us":42000,)"
            R"("bytes_received":0,"bytes_sent":0},"tunnel_mode":""}],"services":[],)"
            R"("tunnel_connections":0,"timers":0,"docker":null,"bans":[],"predecessors":[],)"
            R"("tailnet":null})");
}

TEST(StatusMessages, ErrorsNameThePlace) {
  EXPECT_EQ(parse_status("{}").error(), "program: expected a text");
  EXPECT_EQ(parse_status(R"({"program":"toaster"})").error(), "program: expected edge or sidecar");
  EXPECT_EQ(parse_status(R"({"program":"sidecar","edges":[]})").error(),
            "services: expected a list");
  std::string text = serialize(sidecar());
  text.replace(text.find("withdrawn"), 9, "vanished!");
  EXPECT_EQ(
      parse_status(text).error(),
      "services[0].endpoints[0].state: expected published, waiting, refused, withdrawn or by name");
  text = serialize(edge());
  text.replace(text.find("granted"), 7, "grabbed");
  EXPECT_EQ(parse_status(text).error(),
            "sidecars[0].endpoints[0].state: expected granted, waiting or refused");
}

TEST(StatusMessages, ADurationCannotOverflow) {
  EXPECT_FALSE(parse_status(
      R"({"program":"sidecar","uptime_ms":18446744073709551615,"edges":[],"services":[]})"));
  EXPECT_TRUE(
      parse_status(R"({"program":"sidecar","uptime_ms":9000000000000,"edges":[],"services":[]})"));
}

TEST(StatusMessages, ManyEndpointsFit) {
  EdgeStatus status = edge();
  status.sidecars[0].endpoints.assign(
      5000, {"a.example.com", "web", EndpointState::refused, std::string(200, 'x')});
  EXPECT_EQ(parse_status(serialize(status)), Status(status));
}

TEST(StatusMessages, BackendsGoThere) {
  SidecarStatus status;
  status.services = {{"web", "a:1, b:1", "healthy", "", 0, {}, {}}};
  status.services[0].backends = {{"a:1", "unhealthy", "refused", 1}, {"b:1", "healthy", "", 2}};
  const auto read = parse_status(serialize(status));
  ASSERT_TRUE(read);
  EXPECT_EQ(std::get<SidecarStatus>(*read), status);
}

TEST(StatusMessages, CertificatesGoThere) {
  SidecarStatus status;
  status.services = {{"web", "b:1", "healthy", "", 0, {}, {}}};
  EXPECT_EQ(serialize(status).find("certificate"), std::string::npos);
  status.services[0].certificate = CertificateStatus{
      .source = "self-signed", .problem = "no folder", .chains = {{"a.test", "2036-11-18", "AA"}}};
  const auto read = parse_status(serialize(status));
  ASSERT_TRUE(read);
  EXPECT_EQ(std::get<SidecarStatus>(*read), status);
}

}  // namespace
}  // namespace sidestream::control
