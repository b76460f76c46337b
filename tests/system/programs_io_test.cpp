// What edge and sidecar tell their owners and each other, as whole programs on a simulated
// internet: several edges, tickets that are worth nothing, edges that do not answer, ports that are
// taken.
#include <gtest/gtest.h>

#include <memory>

#include "edge/edge_io.h"
#include "sidecar/sidecar_io.h"
#include "tests/support/simulated_network_io.h"

namespace sidestream {
namespace {

constexpr std::uint16_t tunnel_port = 51820;

IpAddress ip(std::string_view text) {
  return *IpAddress::parse(text);
}

// Runs something until it dies.
class Running {
 public:
  Running(World& world, Task<> task)
      : pending_(std::in_place, world.loop().executor(), std::move(task),
                 [&world] { world.settle(); }) {}
  [[nodiscard]] bool ended() const { return pending_->done(); }

 private:
  std::optional<Pending<void>> pending_;
};

// An edge on a host of its own, which can be started again with what its state folder would keep.
class EdgeProgram {
 public:
  EdgeProgram(World& world, const std::string& name, const char* address, std::uint8_t key)
      : world_(world),
        host_(world.add_host(name, {ip(address)})),
        address_(ip(address)),
        name_(name + ".test"),
        log_({}, world.timers(), [this](std::string_view line) {
          lines_ += line;
          lines_ += '\n';
        }) {
    key_.fill(key);
    world.set_name(name_, {address_});
  }

  void start(const std::vector<edge::PortRange>& ports) {
    running_.reset();
    if (edge_) registry_ = edge_->registry();
    edge_.reset();
    edge::EdgeSettings settings;
    settings.version = "simulated";
    settings.tickets.endpoints = {HostPort{name_, tunnel_port}};
    settings.tunnel.private_key = tunnel::PrivateKey(key_);
    settings.tunnel.listen = {address_, tunnel_port};
    settings.public_address = address_;
    settings.public_ports = ports;
    edge_ = std::make_unique<edge::Edge>(host_.boot(), settings, registry_, nullptr, log_);
    running_.emplace(world_, edge_->run());
  }
  void stop() {
    running_.reset();
    registry_ = edge_->registry();
    edge_.reset();
    host_.kill();
  }

  control::Ticket invite(const std::string& name, const std::vector<std::string>& allow) {
    return *control::Ticket::parse(edge_->invite(name, allow)->reveal());
  }
  edge::Edge& operator*() { return *edge_; }
  edge::Edge* operator->() { return edge_.get(); }
  SimulatedHost& host() { return host_; }
  [[nodiscard]] const std::string& lines() const { return lines_; }

 private:
  World& world_;
  SimulatedHost& host_;
  IpAddress address_;
  std::string name_;
  std::string lines_;
  Log log_;
  std::array<std::uint8_t, 32> key_{};
  edge::SidecarRegistry registry_{*IpPrefix::parse("10.86.0.0/24")};
  std::unique_ptr<edge::Edge> edge_;
  std::optional<Running> running_;
};

class SidecarProgram {
 public:
  SidecarProgram(World& world, SimulatedHost& host, const std::vector<control::Ticket>& tickets,
                 const std::string& publish)
      : log_({}, world.timers(), [this](std::string_view line) {
          lines_ += line;
          lines_ += '\n';
        }) {
    sidecar::SidecarConfiguration configuration;
    for (const control::Ticket& ticket : tickets) configuration.edges.emplace_back(ticket);
    sidecar::ServiceConfiguration service;
    service.name = "web";
    service.publish = {*control::Endpoint::parse(publish)};
    service.backends = {*sidecar::BackendAddress::parse("192.168.1.20:80")};
    service.health.kind = sidecar::HealthKind::none;
    configuration.services = {service};
    sidecar_ = std::make_unique<sidecar::Sidecar>(
        host.boot(), sidecar::SidecarSettings{"simulated"}, configuration, nullptr, log_);
    running_.emplace(world, sidecar_->run());
  }
  sidecar::Sidecar* operator->() { return sidecar_.get(); }
  // Of the one service's endpoint at edge number `edge`.
  control::ServiceEndpointStatus endpoint(std::size_t edge = 0) {
    return sidecar_->status().services.at(0).endpoints.at(edge);
  }
  bool published(std::size_t edge = 0) {
    return endpoint(edge).state == control::PublishState::published;
  }
  [[nodiscard]] const std::string& lines() const { return lines_; }
  bool ended() { return running_->ended(); }

 private:
  std::string lines_;
  Log log_;
  std::unique_ptr<sidecar::Sidecar> sidecar_;
  std::optional<Running> running_;
};

class Programs : public testing::Test {
 protected:
  // What a client at the port of an edge hears from the backend.
  std::string ask(const char* address, std::uint16_t port) {
    std::string heard;
    auto asking = world_.start(hear({ip(address), port}, heard));
    EXPECT_TRUE(world_.run_until([&] { return asking.done(); }, 30s));
    return heard;
  }
  Task<> hear(SocketAddress where, std::string& heard) {
    const auto stream = co_await client_.network().connect(where, 10s);
    std::array<std::uint8_t, 64> buffer{};
    while (const std::size_t count = co_await stream->read_some(buffer))
      heard += text_of(Bytes(buffer).first(count));
    co_await stream->close_write();
  }
  Task<> greet_everyone() {
    const auto listener = backend_.network().listen({ip("192.168.1.20"), 80}, {});
    for (;;) {
      const auto stream = co_await listener->accept();
      co_await stream->write_all(bytes_of(std::string_view("hello")));
      co_await stream->close_write();
      std::array<std::uint8_t, 8> buffer{};
      co_await stream->read_some(buffer);
    }
  }

  World world_{1};
  SimulatedNat& nat_ = world_.add_nat(ip("198.51.100.1"));
  SimulatedHost& home_ = world_.add_host_behind(nat_, "home", {ip("192.168.1.10")});
  SimulatedHost& backend_ = world_.add_host_behind(nat_, "backend", {ip("192.168.1.20")});
  SimulatedHost& client_ = world_.add_host("client", {ip("203.0.113.9")});
  EdgeProgram one_{world_, "one", "192.0.2.1", 0x41};
  EdgeProgram two_{world_, "two", "192.0.2.2", 0x42};
};

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
