#include "tailnet/local_api_messages.h"

#include <gtest/gtest.h>

#include "tests/support/configuration_examples.h"

namespace sidestream::tailnet {
namespace {

TEST(LocalApiMessages, AStatus) {
  const auto status = parse_status(
      R"({"Version":"1.102.3-t","TUN":false,"BackendState":"NeedsLogin","HaveNodeKey":true,)"
      R"("AuthURL":"https://hs.test/a/1","TailscaleIPs":["100.64.0.1","fd7a:115c:a1e0::1"],)"
      R"("Self":{"DNSName":"home.tn.test.","Tags":["tag:home"],"KeyExpiry":"2027-01-02T03:04:05Z",)"
      R"("Expired":true},"Health":["a","b"],"CurrentTailnet":{"Name":"me@example.com",)"
      R"("MagicDNSSuffix":"tn.test"},"CertDomains":["home.tn.test"],"Peer":null,"New":{"x":[1]}})");
  ASSERT_TRUE(status) << status.error();
  EXPECT_EQ(status->state, BackendState::needs_login);
  EXPECT_FALSE(status->tun);
  EXPECT_EQ(status->auth_url, "https://hs.test/a/1");
  EXPECT_EQ(status->self.name, "home.tn.test") << "TS-24: any base domain";
  EXPECT_EQ(status->self.addresses.size(), 2U);
  EXPECT_TRUE(status->self.expired);
  EXPECT_EQ(status->self.key_expiry,
            WallTime(std::chrono::sys_days(std::chrono::year(2027) / 1 / 2)) + 3h + 4min + 5s);
  EXPECT_EQ(status->self.tags, std::vector<std::string>{"tag:home"});
  EXPECT_EQ(status->dns_suffix, "tn.test");
  EXPECT_EQ(status->certificate_names, std::vector<std::string>{"home.tn.test"});
}

// TS-04
TEST(LocalApiMessages, WhatIsMissingNullOrOfAnotherKindIsNotThere) {
  for (const char* text :
       {"{}", R"({"Self":null,"TailscaleIPs":null,"CertDomains":null,"Health":null,"TUN":null})",
        R"({"Self":7,"TailscaleIPs":{},"CertDomains":"x","Health":[1,null],"BackendState":4,)"
        R"("CurrentTailnet":null,"TUN":"yes"})",
        R"({"BackendState":"Dreaming","TailscaleIPs":["no address"]})"}) {
    const auto status = parse_status(text);
    ASSERT_TRUE(status) << text << status.error();
    EXPECT_EQ(*status, DaemonStatus()) << text;
  }
  EXPECT_EQ(parse_status("[]").error(), "is no JSON object");
  EXPECT_TRUE(parse_status("{").error().starts_with("is no JSON: byte 1: "));
}

TEST(LocalApiMessages, AStatusOfTenMegabytes) {
  std::string text = R"({"BackendState":"Running","Peer":{)";
  for (int i = 0; text.size() < 10'000'000; ++i)
    text += (i == 0 ? "" : ",") + ("\"nodekey:" + std::to_string(i)) +
            R"(":{"HostName":"é","CapMap":{"a":["b"]},"Text":")" + std::string(2000, 'x') + "\"}";
  text += R"(},"TailscaleIPs":["100.64.0.9"]})";
  const auto status = parse_status(text);
  ASSERT_TRUE(status) << status.error();
  EXPECT_EQ(status->self.addresses.front().text(), "100.64.0.9");
}

TEST(LocalApiMessages, LinesOfTheBus) {
  const auto states = [](const std::string& number) {
    return parse_bus_message("{\"State\":" + number + "}")->state;
  };
  EXPECT_EQ(states("0"), BackendState::no_state);
  EXPECT_EQ(states("2"), BackendState::needs_login);
  EXPECT_EQ(states("6"), BackendState::running);
  EXPECT_EQ(states("7"), BackendState::unknown);
  EXPECT_EQ(states("null"), std::nullopt);
  const auto health = parse_bus_message(
      R"({"Version":"1.102.3","Health":{"Warnings":{"no-derp-home":{"WarnableCode":"no-derp-home",)"
      R"("Severity":"medium","Title":"No home relay","Text":"Out of reach.",)"
      R"("BrokenSince":"2026-11-21T00:00:00Z","ImpactsConnectivity":true}}}})");
  ASSERT_TRUE(health && health->warnings);
  EXPECT_EQ(health->warnings->front(),
            (HealthWarning{"no-derp-home", "No home relay", "Out of reach.", true}));
  EXPECT_TRUE(parse_bus_message(R"({"Health":{"Warnings":null}})")->warnings->empty());
  const char* self = R"({"Name":"home.tn.test.","Addresses":["100.64.0.5/32"],"Tags":null})";
  for (const std::string& line : {std::string(R"({"SelfChange":)") + self + "}",
                                  std::string(R"({"NetMap":{"SelfNode":)") + self + "}}"}) {
    const auto message = parse_bus_message(line);
    ASSERT_TRUE(message && message->self) << line;
    EXPECT_EQ(message->self->name, "home.tn.test");
    EXPECT_EQ(message->self->addresses.front().text(), "100.64.0.5");
  }
}

// TS-10: what identity is made of.
TEST(LocalApiMessages, WhoSomebodyIs) {
  const auto user = parse_identity(
      R"({"Node":{"StableID":"n1","Name":"laptop.tn.test.","Addresses":["100.64.0.2/32"]},)"
      R"("UserProfile":{"LoginName":"alice@example.com"},)"
      R"("CapMap":{"example.com/cap/sidestream":[{"role":"user"}],"x":null}})");
  ASSERT_TRUE(user) << user.error();
  EXPECT_EQ(user->user, "alice@example.com");
  ASSERT_NE(user->find_capability("example.com/cap/sidestream"), nullptr);
  EXPECT_EQ(user->find_capability("example.com/cap/sidestream")->size(), 1U);
  EXPECT_NE(user->find_capability("x"), nullptr);
  EXPECT_EQ(user->find_capability("y"), nullptr);
  const auto tagged =
      parse_identity(R"({"Node":{"StableID":"n2","Name":"vps.tn.test.","Tags":["tag:edge"]},)"
                     R"("UserProfile":{"LoginName":"tagged-devices"},"CapMap":null})");
  ASSERT_TRUE(tagged);
  EXPECT_EQ(tagged->user, "") << "of a node with tags the user means nothing";
  EXPECT_TRUE(tagged->has_tag("tag:edge"));
  EXPECT_FALSE(tagged->has_tag("edge"));
  for (const char* nobody :
       {"{}", R"({"Node":{"StableID":"n3"},"UserProfile":{}})", R"({"Node":{"Tags":["tag:edge"]}})",
        R"({"UserProfile":{"LoginName":"a@b"}})"})
    EXPECT_FALSE(parse_identity(nobody)) << nobody;
}

// TS-22
TEST(LocalApiMessages, DirectAndRelayedPaths) {
  const auto direct = parse_ping(
      R"({"Err":"","LatencySeconds":0.0123,"Endpoint":"192.0.2.1:41641","PeerRelay":""})");
  ASSERT_TRUE(direct);
  EXPECT_TRUE(direct->is_direct());
  EXPECT_EQ(direct->round_trip, 12300us);
  const auto relayed = parse_ping(
      R"({"LatencySeconds":0.2,"Endpoint":"","DERPRegionID":999,"DERPRegionCode":"headscale"})");
  ASSERT_TRUE(relayed);
  EXPECT_FALSE(relayed->is_direct());
  EXPECT_EQ(relayed->relay, "headscale");
  EXPECT_EQ(parse_ping(R"({"Err":"no such peer"})")->error, "no such peer");
  EXPECT_EQ(parse_ping(R"({"LatencySeconds":-1})")->round_trip, std::nullopt);
}

TEST(LocalApiMessages, PreferencesServedPortsAndErrors) {
  const auto preferences = parse_preferences(
      R"({"ControlURL":"https://hs.test","WantRunning":true,"ShieldsUp":true,"CorpDNS":true})");
  ASSERT_TRUE(preferences);
  EXPECT_TRUE(preferences->shields_up && preferences->accepts_dns && !preferences->accepts_routes);
  EXPECT_EQ(parse_served_ports(R"({"TCP":{"443":{"HTTPS":true},"50002":{},"x":{},"70000":{}}})"),
            (std::vector<std::uint16_t>{443, 50002}));
  EXPECT_TRUE(parse_served_ports("{}")->empty());
  EXPECT_TRUE(parse_served_ports("null\n")->empty());
  EXPECT_EQ(error_text("cert access denied\n"), "cert access denied");
  EXPECT_EQ(error_text(R"({"error":"no"})"), "no");
}

// ---- what real daemons answered ----------------------------------------------------------------

std::string recorded(const std::string& name) {
  return document_text("tests/vectors/tailscale/" + name);
}

TEST(LocalApiMessages, RecordedStatuses) {
  for (const std::string version : {"1.80.3", "1.102.3"}) {
    const auto status = parse_status(recorded("status-needs-login-" + version + ".json"));
    ASSERT_TRUE(status) << status.error();
    EXPECT_TRUE(status->version.starts_with(version));
    EXPECT_EQ(status->state, BackendState::needs_login);
    EXPECT_FALSE(status->tun);
    EXPECT_TRUE(status->self.addresses.empty());
    const auto preferences = parse_preferences(recorded("prefs-" + version + ".json"));
    ASSERT_TRUE(preferences);
    EXPECT_EQ(preferences->control_url, "http://127.0.0.1:18080");
  }
  const auto status = parse_status(recorded("status-running-1.102.3.json"));
  ASSERT_TRUE(status);
  EXPECT_EQ(status->state, BackendState::running);
  EXPECT_EQ(status->self.name, "home.tn.test");
  EXPECT_EQ(status->self.addresses.size(), 2U);
  EXPECT_EQ(status->dns_suffix, "tn.test");
  EXPECT_TRUE(status->certificate_names.empty()) << "headscale has no HTTPS";
}

TEST(LocalApiMessages, RecordedBuses) {
  const auto now = parse_bus_message(recorded("bus-1.102.3.txt"));
  ASSERT_TRUE(now);
  EXPECT_EQ(now->state, BackendState::running);
  ASSERT_TRUE(now->warnings);
  EXPECT_TRUE(now->warnings->empty());
  const auto then = parse_bus_message(recorded("bus-1.80.3.txt"));
  ASSERT_TRUE(then && then->warnings);
  EXPECT_EQ(then->state, BackendState::starting);
  EXPECT_EQ(then->warnings->front().code, "no-derp-home");
  EXPECT_TRUE(then->warnings->front().impacts_connectivity);
}

TEST(LocalApiMessages, RecordedIdentitiesAndPaths) {
  const auto user = parse_identity(recorded("whois-user.json"));
  ASSERT_TRUE(user) << user.error();
  EXPECT_EQ(user->user, "alice");
  EXPECT_EQ(user->node, "home.tn.test");
  const auto edge = parse_identity(recorded("whois-tagged.json"));
  ASSERT_TRUE(edge) << edge.error();
  EXPECT_EQ(edge->user, "");
  EXPECT_TRUE(edge->has_tag("tag:edge"));
  EXPECT_NE(edge->find_capability("sidestream.example/cap/sidestream"), nullptr);
  const auto path = parse_ping(recorded("ping.json"));
  ASSERT_TRUE(path);
  EXPECT_TRUE(path->is_direct());
  EXPECT_EQ(path->round_trip, 623120ns);
}

}  // namespace
}  // namespace sidestream::tailnet
