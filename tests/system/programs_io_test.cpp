// What edge and sidecar tell their owners and each other: several edges, tickets that are worth
// nothing, edges that do not answer, ports that are taken.
#include "tests/system/programs_fixture_io.h"

namespace sidestream {
namespace {

TEST_F(Programs, OneSidecarServesTwoEdgesEachByItself) {
  Running greeting(world_, greet_everyone());
  one_.start({{2222, 2222}});
  two_.start({{2222, 2222}});
  // Both give it the same tunnel address: the two tunnels know nothing of each other.
  SidecarProgram home(world_, home_,
                      {one_.invite("home", {":2222"}), two_.invite("home", {":2222"})}, ":2222");
  ASSERT_TRUE(world_.run_until([&] { return home.published(0) && home.published(1); }, 30s));
  EXPECT_EQ(ask("192.0.2.1", 2222), "hello");
  EXPECT_EQ(ask("192.0.2.2", 2222), "hello");

  one_.stop();
  ASSERT_TRUE(world_.run_until([&] { return !home.published(0); }, 15s));
  EXPECT_TRUE(home.published(1));
  EXPECT_EQ(ask("192.0.2.2", 2222), "hello");
  EXPECT_TRUE(home->health().healthy) << "one of two is enough";

  one_.start({{2222, 2222}});
  ASSERT_TRUE(world_.run_until([&] { return home.published(0); }, 30s));
  EXPECT_EQ(ask("192.0.2.1", 2222), "hello");

  two_->revoke("home");
  world_.advance(5s);
  EXPECT_TRUE(home.published(0));
  EXPECT_EQ(home.endpoint(1).state, control::PublishState::refused);
}

TEST_F(Programs, ARevokedSidecarIsTold) {
  one_.start({{2222, 2222}});
  const control::Ticket ticket = one_.invite("home", {":2222"});
  std::optional<SidecarProgram> home(std::in_place, world_, home_, std::vector{ticket}, ":2222");
  ASSERT_TRUE(world_.run_until([&] { return home->published(); }, 30s));

  EXPECT_EQ(one_->revoke("home")->endpoints, 1U);
  EXPECT_TRUE(one_->status().sidecars.empty());
  ASSERT_TRUE(
      world_.run_until([&] { return (*home)->status().edges[0].tunnel_state == "revoked"; }, 5s));
  const std::string why = (*home)->status().edges[0].problem;
  EXPECT_TRUE(why.contains("revoked") && why.contains("sidestream invite")) << why;
  EXPECT_EQ(home->endpoint().state, control::PublishState::refused);
  EXPECT_TRUE(home->lines().contains(why)) << home->lines();
  EXPECT_FALSE((*home)->health().healthy);

  // A process that starts with the ticket hears it as well, also from an edge that was restarted,
  // and also when the name is somebody else's by then.
  (void)one_.invite("home", {":2222"});
  one_.start({{2222, 2222}});
  home.reset();
  home.emplace(world_, home_, std::vector{ticket}, ":2222");
  ASSERT_TRUE(
      world_.run_until([&] { return (*home)->status().edges[0].tunnel_state == "revoked"; }, 15s));
  world_.advance(5min);
  EXPECT_EQ((*home)->status().edges[0].tunnel_state, "revoked");
  ASSERT_EQ(one_->status().sidecars.size(), 1U);
  EXPECT_FALSE(one_->status().sidecars[0].present);
}

// Its owner writes the key of a revoked ticket into edge.yaml and reloads.
TEST_F(Programs, ARevokedSidecarThatIsConfiguredIsLetInAgain) {
  one_.start({{2222, 2222}});
  const control::Ticket ticket = one_.invite("home", {":2222"});
  SidecarProgram home(world_, home_, {ticket}, ":2222");
  ASSERT_TRUE(world_.run_until([&] { return home.published(); }, 30s));
  one_->revoke("home");
  ASSERT_TRUE(
      world_.run_until([&] { return home->status().edges[0].tunnel_state == "revoked"; }, 5s));

  const sidecar::EdgeEntry entry(ticket);
  edge::SidecarRegistry registry = one_->registry();
  edge::EnrolledSidecar again;
  again.name = "home";
  again.public_key = entry.own_public_key;
  again.preshared_key = entry.preshared_key;
  again.allow = {*control::EndpointPattern::parse(":2222")};
  ASSERT_TRUE(registry.add_configured(again, entry.own_address));
  one_->reload(one_.settings({{2222, 2222}}), registry);
  EXPECT_FALSE(one_.lines().contains("cannot be a peer")) << one_.lines();
  ASSERT_TRUE(world_.run_until([&] { return home.published(); }, 90s)) << home.lines();
}

// Its owner takes a sidecar out of edge.yaml, while the edge runs and while it does not.
TEST_F(Programs, ASidecarThatWasTakenOutOfTheFileIsTold) {
  one_.start({{2222, 2222}});
  const control::Ticket ticket = one_.invite("home", {":2222"});
  const IpPrefix network = *IpPrefix::parse("10.86.0.0/24");
  edge::SidecarRegistry with(network);
  edge::EnrolledSidecar configured = one_->registry().sidecars().at(0);
  configured.invited = false;
  ASSERT_TRUE(with.add_configured(configured, configured.address));
  edge::SidecarRegistry without(network);
  ASSERT_TRUE(without.load(with.serialize()));
  without.retire_missing();

  one_->reload(one_.settings({{2222, 2222}}), with);
  SidecarProgram sidecar(world_, home_, {ticket}, ":2222");
  ASSERT_TRUE(world_.run_until([&] { return sidecar.published(); }, 30s));
  const Instant began = world_.timers().now();
  one_->reload(one_.settings({{2222, 2222}}), without);
  const auto is_told = [&] { return sidecar->status().edges[0].tunnel_state == "revoked"; };
  EXPECT_TRUE(world_.run_until(is_told, 30s));
  EXPECT_LT(world_.timers().now() - began, 5s);
  EXPECT_TRUE(sidecar.endpoint().reason.contains("revoked")) << sidecar.endpoint().reason;

  // And let in again.
  one_->reload(one_.settings({{2222, 2222}}), with);
  EXPECT_TRUE(world_.run_until([&] { return sidecar.published(); }, 90s));
}

TEST_F(Programs, AnEdgeThatNeverAnswersIsTold) {
  one_.start({{2222, 2222}});
  two_.start({{2222, 2222}});
  // The ticket of another edge: its key is not the one that answers at this name.
  control::Ticket ticket = two_.invite("home", {":2222"});
  ticket.edge_endpoints = {HostPort{"one.test", tunnel_port}};
  SidecarProgram home(world_, home_, {ticket}, ":2222");
  world_.advance(5s);
  EXPECT_FALSE(home.lines().contains("nothing answers")) << "not at the first lost packet";
  EXPECT_EQ(home->status().edges[0].tunnel_state, "connecting");
  world_.advance(6s);
  EXPECT_TRUE(home->status().edges[0].problem.starts_with("nothing answers at UDP 192.0.2.1:51820"))
      << home->status().edges[0].problem;
  EXPECT_EQ(home.endpoint().reason, home->status().edges[0].problem);
  EXPECT_TRUE(home.lines().contains("nothing answers at UDP 192.0.2.1:51820")) << home.lines();
  world_.advance(10min);
  EXPECT_EQ(home.lines().find("nothing answers"), home.lines().rfind("nothing answers"))
      << "once is enough:\n"
      << home.lines();
}

TEST_F(Programs, AnEdgeWhoseNameIsUnknownIsTold) {
  one_.start({{2222, 2222}});
  control::Ticket ticket = one_.invite("home", {":2222"});
  ticket.edge_endpoints = {HostPort{"nowhere.test", tunnel_port}};
  SidecarProgram home(world_, home_, {ticket}, ":2222");
  world_.advance(1min);
  const std::string problem = home->status().edges[0].problem;
  EXPECT_TRUE(problem.starts_with("nowhere.test cannot be resolved (")) << problem;
  EXPECT_TRUE(home.lines().contains("nowhere.test cannot be resolved")) << home.lines();
  world_.set_name("nowhere.test", {ip("192.0.2.1")});
  ASSERT_TRUE(world_.run_until([&] { return home.published(); }, 30s));
  EXPECT_EQ(home->status().edges[0].problem, "");
}

TEST_F(Programs, APortThatIsTakenIsOpenedWhenItIsFree) {
  one_.start({{2222, 2222}});
  auto other = one_.host().network().listen({ip("192.0.2.1"), 2222}, {});
  SidecarProgram home(world_, home_, {one_.invite("home", {":2222"})}, ":2222");
  world_.advance(20s);
  EXPECT_EQ(home.endpoint().state, control::PublishState::waiting);
  EXPECT_TRUE(home.endpoint().reason.starts_with(
      "the edge cannot listen on port 2222: another program listens there; `ss -tulpn"))
      << home.endpoint().reason;
  const std::string told = "port cannot be opened";
  EXPECT_EQ(one_.lines().find(told), one_.lines().rfind(told)) << one_.lines();
  other.reset();
  ASSERT_TRUE(world_.run_until([&] { return home.published(); }, 10s));
  EXPECT_TRUE(home.lines().contains("published endpoint=:2222")) << home.lines();
}

TEST_F(Programs, BothSidesKnowTheRoundTrip) {
  world_.set_paths(one_.host(), home_, {.delay = 20ms});
  one_.start({{2222, 2222}});
  SidecarProgram home(world_, home_, {one_.invite("home", {":2222"})}, ":2222");
  world_.advance(20s);
  const auto at_home = home->status().edges[0].tunnel.round_trip;
  const auto at_edge = one_->status().sidecars[0].tunnel.round_trip;
  ASSERT_TRUE(at_home && at_edge);
  EXPECT_GE(*at_home, 40ms);
  EXPECT_LE(*at_home, 60ms);
  EXPECT_GE(*at_edge, 40ms);
  EXPECT_LE(*at_edge, 60ms);
}

TEST_F(Programs, EachStreamLeavesOneLineOnEachSide) {
  Running greeting(world_, greet_everyone());
  one_.start({{2222, 2222}});
  SidecarProgram home(world_, home_, {one_.invite("home", {":2222"})}, ":2222");
  ASSERT_TRUE(world_.run_until([&] { return home.published(); }, 30s));
  ask("192.0.2.1", 2222);
  world_.advance(1s);
  for (const std::string& lines : {one_.lines(), home.lines()}) {
    const std::size_t at = lines.find("stream ended");
    ASSERT_NE(at, std::string::npos) << lines;
    EXPECT_EQ(lines.find("stream ended", at + 1), std::string::npos) << lines;
    const std::string line = lines.substr(at, lines.find('\n', at) - at);
    for (const char* part : {"client=203.0.113.9:", "endpoint=:2222", "service=web", "bytes_in=0",
                             "bytes_out=5", "duration=", "end="})
      EXPECT_TRUE(line.contains(part)) << line;
  }
}

TEST_F(Programs, AStopWithdrawsFirst) {
  one_.start({{2222, 2222}});
  SidecarProgram home(world_, home_, {one_.invite("home", {":2222"})}, ":2222");
  ASSERT_TRUE(world_.run_until([&] { return home.published(); }, 30s));
  home->stop();
  ASSERT_TRUE(world_.run_until([&] { return home.ended(); }, 5s));
  EXPECT_TRUE(one_->status().sidecars[0].endpoints.empty()) << "not only when the lease ends";
}

}  // namespace
}  // namespace sidestream
