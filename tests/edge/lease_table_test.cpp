#include "edge/lease_table.h"

#include <gtest/gtest.h>

#include <array>
#include <initializer_list>

namespace sidestream::edge {
namespace {

using control::Endpoint;
using control::EndpointPattern;
using control::EndpointState;
using control::Reason;
using control::Refusal;
using control::WantedEndpoint;

AllowedSidecar sidecar(const std::string& name, std::uint8_t host,
                       std::initializer_list<const char*> allow) {
  AllowedSidecar allowed{
      .name = name, .tunnel_address = IpAddress::v4({10, 86, 0, host}), .allow = {}};
  for (const char* pattern : allow) allowed.allow.push_back(*EndpointPattern::parse(pattern));
  return allowed;
}

const std::vector<PortRange> public_ports{{443, 443}, {2222, 2222}, {50001, 50002}};

class LeaseTableTest : public testing::Test {
 protected:
  LeaseTableTest() : LeaseTableTest(LeaseLimits()) {}
  explicit LeaseTableTest(const LeaseLimits& limits) : table_(0xe1, "9.9", limits) {
    table_.set_sidecars({sidecar("home", 2, {"*.example.com", ":2222", ":50001"}),
                         sidecar("shed", 3, {"*.example.com", "own.example.com"})});
    table_.set_public_ports(public_ports);
    for (const auto port : std::to_array<std::uint16_t>({443, 2222, 50001, 50002}))
      table_.on_port_open(port);
  }

  std::string open(std::string_view name) {
    return table_.open_session(name, {1, "0.1", "box-" + std::string(name)}).value().session;
  }
  auto put(std::string_view name, const std::string& session, std::uint64_t sequence,
           std::vector<WantedEndpoint> wanted) {
    return table_.put_state(now_, name, {session, sequence, std::move(wanted)});
  }
  auto beat(std::string_view name, const std::string& session, std::uint64_t sequence,
            std::uint64_t revision = 0) {
    return table_.heartbeat(now_, name, {session, sequence, revision});
  }
  static WantedEndpoint want(const char* endpoint, unsigned priority = 100) {
    return {endpoint, "web", 20001, priority};
  }
  // `electrum.example.com=home,shed :2222=home`, targets in their order.
  std::string routes() const {
    std::string text;
    for (const Route& route : table_.routes()) {
      if (!text.empty()) text += ' ';
      text += route.endpoint.text() + '=';
      for (const RouteTarget& target : route.targets) {
        if (&target != route.targets.data()) text += ',';
        text += target.sidecar;
      }
    }
    return text;
  }
  // `published home a.example.com; …` since the last call.
  std::string events() {
    static constexpr std::array<const char*, 5> kinds{"began", "expired", "published", "withdrawn",
                                                      "refused"};
    std::string text;
    while (const auto event = table_.poll_event()) {
      if (!text.empty()) text += "; ";
      text += kinds.at(static_cast<std::size_t>(event->kind));
      text += ' ' + event->sidecar;
      if (!event->endpoint.empty()) text += ' ' + event->endpoint;
    }
    return text;
  }

  Instant now_{1000s};
  LeaseTable table_;
};

TEST_F(LeaseTableTest, GrantsWhatIsAllowed) {
  const std::string session = open("home");
  EXPECT_EQ(session, "e1-1");
  EXPECT_EQ(table_.next_deadline(), std::nullopt);
  const auto answer = put(
      "home", session, 1,
      {want("Electrum.example.com."), want(":2222"), want("example.com"), want("own.example.com"),
       want(":50002"), want("a.example.com:8443"), want("no name"), want(":2222")});
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->lease, std::chrono::seconds(8));
  std::vector<Reason> reasons;
  for (const auto& endpoint : answer->endpoints) reasons.push_back(endpoint.reason);
  EXPECT_EQ(reasons, (std::vector{Reason::none, Reason::none, Reason::not_allowed,
                                  Reason::held_by_another, Reason::not_allowed,
                                  Reason::port_not_open, Reason::bad_endpoint, Reason::duplicate}));
  EXPECT_EQ(answer->endpoints[0].endpoint, "Electrum.example.com.") << "as it was asked";
  EXPECT_EQ(routes(), ":2222=home electrum.example.com=home");
  EXPECT_EQ(table_.routes()[0].targets[0],
            (RouteTarget{"home", "web", {IpAddress::v4({10, 86, 0, 2}), 20001}, 100}));
  EXPECT_EQ(events(),
            "began home; published home :2222; published home electrum.example.com; "
            "refused home example.com; refused home own.example.com; refused home :50002; "
            "refused home a.example.com:8443; refused home no name; refused home :2222");
  // The same again says nothing new.
  const std::uint64_t revision = table_.route_revision();
  ASSERT_TRUE(
      put("home", session, 2, {want("electrum.example.com"), want(":2222"), want("example.com")}));
  EXPECT_EQ(events(), "");
  EXPECT_EQ(table_.route_revision(), revision);
}

TEST_F(LeaseTableTest, AStateReplacesTheOneBefore) {
  const std::string session = open("home");
  put("home", session, 1, {want("a.example.com"), want("b.example.com")}).value();
  events();
  put("home", session, 2, {want("b.example.com"), want("c.example.com")}).value();
  EXPECT_EQ(routes(), "b.example.com=home c.example.com=home");
  EXPECT_EQ(events(), "withdrawn home a.example.com; published home c.example.com");
  put("home", session, 3, {}).value();
  EXPECT_EQ(routes(), "");
}

TEST_F(LeaseTableTest, ANewPortOrPriorityChangesTheRouteWithoutWithdrawing) {
  const std::string session = open("home");
  put("home", session, 1, {want("a.example.com")}).value();
  events();
  const std::uint64_t revision = table_.route_revision();
  put("home", session, 2, {{"a.example.com", "web", 20009, 7}}).value();
  EXPECT_NE(table_.route_revision(), revision);
  EXPECT_EQ(events(), "");
  EXPECT_EQ(table_.routes()[0].targets[0].tunnel_address.port, 20009);
  EXPECT_EQ(table_.routes()[0].targets[0].priority, 7U);
}

TEST_F(LeaseTableTest, LeasesEndWithoutHeartbeats) {
  const std::string session = open("home");
  put("home", session, 1, {want("a.example.com")}).value();
  events();
  now_ += 5s;
  ASSERT_TRUE(beat("home", session, 2));
  EXPECT_EQ(table_.next_deadline(), now_ + 8s);
  now_ += 8s - 1ns;
  table_.handle_timeout(now_);
  EXPECT_EQ(routes(), "a.example.com=home");
  now_ += 1ns;
  table_.handle_timeout(now_);
  EXPECT_EQ(routes(), "");
  EXPECT_EQ(events(), "expired home; withdrawn home a.example.com");
  EXPECT_EQ(table_.next_deadline(), std::nullopt);
  EXPECT_EQ(beat("home", session, 3).error().refusal, Refusal::session_unknown);
  EXPECT_EQ(put("home", session, 4, {want("a.example.com")}).error().refusal,
            Refusal::session_unknown);
  put("home", open("home"), 1, {want("a.example.com")}).value();
  EXPECT_EQ(routes(), "a.example.com=home");
}

TEST_F(LeaseTableTest, ALateHeartbeatCannotRenew) {
  const std::string session = open("home");
  put("home", session, 1, {want("a.example.com")}).value();
  now_ += 8s;  // and nobody has called handle_timeout
  EXPECT_EQ(beat("home", session, 2).error().refusal, Refusal::session_unknown);
  EXPECT_EQ(routes(), "");
}

// Fault 65: a copy of a message, or one that comes late, changes nothing.
TEST_F(LeaseTableTest, OldMessagesChangeNothing) {
  const std::string first = open("home");
  put("home", first, 1, {want("a.example.com")}).value();
  put("home", first, 3, {want("a.example.com"), want("b.example.com")}).value();
  EXPECT_EQ(put("home", first, 2, {}).error().refusal, Refusal::stale_sequence);
  EXPECT_EQ(put("home", first, 3, {}).error().refusal, Refusal::stale_sequence);
  EXPECT_EQ(beat("home", first, 3).error().refusal, Refusal::stale_sequence);
  EXPECT_EQ(routes(), "a.example.com=home b.example.com=home");

  // The sidecar restarts; the withdrawal of its former process arrives late.
  const std::string second = open("home");
  put("home", second, 1, {want("c.example.com")}).value();
  EXPECT_EQ(put("home", first, 99, {}).error().refusal, Refusal::session_superseded);
  EXPECT_NE(put("home", first, 99, {}).error().sentence.find("box-home"), std::string::npos);
  EXPECT_EQ(beat("home", first, 100).error().refusal, Refusal::session_superseded);
  EXPECT_EQ(routes(), "c.example.com=home");

  // A copy of an old request for a session does no harm either.
  open("home");
  EXPECT_TRUE(beat("home", second, 2));
  EXPECT_EQ(routes(), "c.example.com=home");
}

TEST_F(LeaseTableTest, ARefusedMessageDoesNotRenew) {
  const std::string session = open("home");
  put("home", session, 5, {want("a.example.com")}).value();
  const auto deadline = table_.next_deadline();
  now_ += 3s;
  EXPECT_FALSE(beat("home", session, 5));
  EXPECT_FALSE(put("home", session, 4, {}));
  EXPECT_EQ(table_.next_deadline(), deadline);
}

TEST_F(LeaseTableTest, SessionsOfOthersAndOfOtherRunsAreUnknown) {
  const std::string home = open("home");
  put("home", home, 1, {want("a.example.com")}).value();
  EXPECT_EQ(put("shed", home, 9, {}).error().refusal, Refusal::session_unknown);
  EXPECT_EQ(put("home", "e2-1", 9, {}).error().refusal, Refusal::session_unknown);
  EXPECT_EQ(put("home", "e1-2", 9, {}).error().refusal, Refusal::session_unknown);
  EXPECT_EQ(put("home", "", 9, {}).error().refusal, Refusal::session_unknown);
  EXPECT_EQ(put("stranger", home, 9, {}).error().refusal, Refusal::unknown_sidecar);
  EXPECT_EQ(table_.open_session("stranger", {}).error().refusal, Refusal::unknown_sidecar);
  EXPECT_EQ(table_.open_session("home", {2, "", ""}).error().refusal,
            Refusal::unsupported_protocol);
  EXPECT_EQ(routes(), "a.example.com=home");
}

TEST_F(LeaseTableTest, SidecarsThatAreBothAllowedShareByPriority) {
  const std::string home = open("home");
  const std::string shed = open("shed");
  put("shed", shed, 1, {want("a.example.com", 50)}).value();
  const auto alone = beat("shed", shed, 2);
  EXPECT_EQ((*alone->endpoints)[0].state, EndpointState::granted);
  put("home", home, 1, {want("a.example.com", 200)}).value();
  EXPECT_EQ(routes(), "a.example.com=home,shed");
  const auto standby = beat("shed", shed, 3, alone->revision);
  ASSERT_TRUE(standby->endpoints) << "it changed, so it is told";
  EXPECT_EQ((*standby->endpoints)[0].reason, Reason::standby);
  EXPECT_FALSE(beat("shed", shed, 4, standby->revision)->endpoints);
  put("home", home, 2, {}).value();
  EXPECT_EQ((*beat("shed", shed, 5, standby->revision)->endpoints)[0].state,
            EndpointState::granted);
  put("home", home, 3, {want("a.example.com", 50)}).value();
  EXPECT_EQ((*beat("shed", shed, 6)->endpoints)[0].state, EndpointState::granted)
      << "equal priorities balance";
}

// Fault 62: while the owner is away, its name goes to nobody, not even through a wildcard.
TEST_F(LeaseTableTest, TheNameOfASidecarThatIsAwayIsNotForTheTaking) {
  const std::string home = open("home");
  const auto answer = put("home", home, 1, {want("own.example.com"), want("*.example.com")});
  EXPECT_EQ(answer->endpoints[0].reason, Reason::held_by_another);
  EXPECT_EQ(answer->endpoints[1].state, EndpointState::granted);
  EXPECT_EQ(routes(), "*.example.com=home own.example.com=");
  put("shed", open("shed"), 1, {want("own.example.com")}).value();
  EXPECT_EQ(routes(), "*.example.com=home own.example.com=shed");
}

TEST_F(LeaseTableTest, PortsAreWaitedFor) {
  table_.on_port_closed(50001);
  const std::string home = open("home");
  const auto opening = put("home", home, 1, {want(":50001")});
  EXPECT_EQ(opening->endpoints[0].state, EndpointState::waiting);
  EXPECT_EQ(opening->endpoints[0].reason, Reason::listener_opening);
  EXPECT_EQ(routes(), ":50001=home") << "so that somebody opens the port";
  table_.on_port_failed(50001, "address in use");
  const auto failed = beat("home", home, 2, opening->revision);
  EXPECT_EQ((*failed->endpoints)[0].reason, Reason::listener_failed);
  table_.on_port_open(50001);
  EXPECT_EQ((*beat("home", home, 3, failed->revision)->endpoints)[0].state, EndpointState::granted);
}

TEST_F(LeaseTableTest, ChangedRulesTakeEffectAtOnce) {
  const std::string home = open("home");
  put("home", home, 1, {want("a.example.com"), want(":50001")}).value();
  events();
  table_.set_public_ports({{443, 443}});
  EXPECT_EQ(routes(), "a.example.com=home");
  EXPECT_EQ(events(), "withdrawn home :50001; refused home :50001");
  table_.set_public_ports(public_ports);
  EXPECT_EQ(routes(), ":50001=home a.example.com=home");
  events();
  // Revoked (fault 72): gone at once, and its session with it.
  table_.set_sidecars({sidecar("shed", 3, {"*.example.com"})});
  EXPECT_EQ(routes(), "");
  EXPECT_EQ(events(), "withdrawn home a.example.com; withdrawn home :50001");
  EXPECT_EQ(beat("home", home, 2).error().refusal, Refusal::unknown_sidecar);
  // Enrolled again under the same name: the old session stays dead.
  table_.set_sidecars({sidecar("home", 4, {"*.example.com"})});
  EXPECT_EQ(put("home", home, 3, {}).error().refusal, Refusal::session_unknown);
}

TEST_F(LeaseTableTest, AnotherTunnelAddressEndsTheSession) {
  const std::string home = open("home");
  put("home", home, 1, {want("a.example.com")}).value();
  table_.set_sidecars({sidecar("home", 7, {"*.example.com"})});
  EXPECT_EQ(routes(), "");
  put("home", open("home"), 1, {want("a.example.com")}).value();
  EXPECT_EQ(table_.routes()[0].targets[0].tunnel_address.address, IpAddress::v4({10, 86, 0, 7}));
}

class SmallLeaseTableTest : public LeaseTableTest {
 protected:
  SmallLeaseTableTest()
      : LeaseTableTest(
            {.endpoints_per_sidecar = 2, .events_max = 3, .lease = std::chrono::seconds(8)}) {}
};

TEST_F(SmallLeaseTableTest, LimitsHold) {
  const std::string home = open("home");
  const auto answer =
      put("home", home, 1, {want("a.example.com"), want("b.example.com"), want("c.example.com")});
  EXPECT_EQ(answer->endpoints[1].state, EndpointState::granted);
  EXPECT_EQ(answer->endpoints[2].reason, Reason::too_many);
  EXPECT_EQ(events(),
            "published home a.example.com; published home b.example.com; "
            "refused home c.example.com")
      << "the oldest event had to go";
}

TEST_F(LeaseTableTest, StandingsTellWhoIsThere) {
  put("home", open("home"), 1, {want("a.example.com"), want("x y")}).value();
  auto standings = table_.standings();
  ASSERT_EQ(standings.size(), 2U);
  EXPECT_EQ(standings[0].name, "home");
  EXPECT_TRUE(standings[0].present);
  EXPECT_EQ(standings[0].instance, "box-home");
  EXPECT_EQ(standings[0].version, "0.1");
  EXPECT_EQ(standings[0].last_heartbeat, now_);
  EXPECT_EQ(standings[0].endpoints[1].answer.reason, Reason::bad_endpoint);
  EXPECT_FALSE(standings[1].present);
  table_.handle_timeout(now_ + 1h);
  standings = table_.standings();
  EXPECT_FALSE(standings[0].present);
  EXPECT_EQ(standings[0].last_heartbeat, now_) << "when it was last seen";
}

// ---- bans --------------------------------------------------------------------------------------

const IpAddress stranger = *IpAddress::parse("198.51.100.7");

TEST_F(LeaseTableTest, ABanIsOfTheSidecarThatSaysIt) {
  const std::string home = open("home");
  const std::string shed = open("shed");
  ASSERT_TRUE(put("shed", shed, 1, {want("a.example.com")}));
  const auto answer = table_.put_state(
      now_, "home",
      {home, 1, {want("a.example.com")}, {{*IpPrefix::parse("198.51.100.0/24"), 60s}}});
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->bans, 1U);
  EXPECT_TRUE(table_.is_banned(now_, "home", stranger));
  EXPECT_FALSE(table_.is_banned(now_, "home", *IpAddress::parse("198.51.101.7")));
  EXPECT_FALSE(table_.is_banned(now_, "shed", stranger));
  EXPECT_FALSE(table_.is_banned(now_, "nobody", stranger));
  EXPECT_FALSE(table_.is_banned(now_ + 60s, "home", stranger));
}

TEST_F(LeaseTableTest, EachStateSaysAllBans) {
  const std::string home = open("home");
  const std::vector<control::BannedNetwork> bans{{*IpPrefix::parse("198.51.100.7"), 60s}};
  ASSERT_TRUE(table_.put_state(now_, "home", {home, 1, {want("a.example.com")}, bans}));
  ASSERT_TRUE(beat("home", home, 2));
  EXPECT_TRUE(table_.is_banned(now_, "home", stranger));
  EXPECT_EQ(put("home", home, 3, {want("a.example.com")})->bans, 0U);
  EXPECT_FALSE(table_.is_banned(now_, "home", stranger));
  // And they end with the session.
  ASSERT_TRUE(table_.put_state(now_, "home", {home, 4, {want("a.example.com")}, bans}));
  table_.handle_timeout(now_ + 8s);
  EXPECT_FALSE(table_.is_banned(now_ + 8s, "home", stranger));
}

TEST_F(LeaseTableTest, BansNeedNotBeHonoured) {
  table_.set_honours_bans(false);
  const std::string home = open("home");
  const std::vector<control::BannedNetwork> bans{{*IpPrefix::parse("198.51.100.7"), 60s}};
  EXPECT_EQ(table_.put_state(now_, "home", {home, 1, {want("a.example.com")}, bans})->bans, 0U);
  EXPECT_FALSE(table_.is_banned(now_, "home", stranger));
  table_.set_honours_bans(true);
  EXPECT_TRUE(table_.is_banned(now_, "home", stranger));
}

}  // namespace
}  // namespace sidestream::edge
