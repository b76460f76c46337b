#include "edge/control_server_io.h"

#include <gtest/gtest.h>

#include "control/control_client_io.h"
#include "tests/support/memory_tunnel_io.h"

namespace sidestream::edge {
namespace {

using control::ControlClientRunner;
using control::EndpointState;
using control::WantedEndpoint;

WantedEndpoint want(const char* endpoint, unsigned priority = 100) {
  return {endpoint, "web", 20001, priority};
}

IpAddress host(std::uint8_t number) {
  return IpAddress::v4({10, 86, 0, number});
}

// An edge's control server and sidecars' clients over tunnels in memory, on a virtual clock.
class ControlServerTest : public testing::Test {
 protected:
  struct Edge {
    Edge(ControlServerTest& test, std::uint64_t epoch) : table(epoch, "9.9") {
      table.set_sidecars({allowed("home", 2), allowed("shed", 3)});
      table.set_public_ports({{443, 443}});
      table.on_port_open(443);
      server.emplace(test.network_, test.edge_tunnel_, table, [this](const SocketAddress& address) {
        std::optional<SidecarIdentity> identity = identify(address);
        if (identity) identity->revoked = identity->name == revoked;
        return identity;
      });
      server->on_change([&test] { ++test.changes_; });
      running.emplace(test.loop_.executor(), server->run(), [&test] { test.loop_.settle(); });
      test.loop_.settle();
    }
    static AllowedSidecar allowed(const char* name, std::uint8_t number) {
      return {.name = name,
              .tunnel_address = host(number),
              .allow = {*control::EndpointPattern::parse("*.example.com")}};
    }
    static std::optional<SidecarIdentity> identify(const SocketAddress& address) {
      if (address.address == host(2)) return SidecarIdentity{"home"};
      if (address.address == host(3)) return SidecarIdentity{"shed"};
      return std::nullopt;
    }
    std::string revoked;
    LeaseTable table;
    std::optional<ControlServer> server;
    std::optional<Pending<void>> running;
  };
  struct Sidecar {
    Sidecar(ControlServerTest& test, std::uint8_t number)
        : tunnel(test.network_, test.wire_, host(number)),
          runner(test.network_, tunnel, host(1)),
          running(test.loop_.executor(), runner.run(), [&test] { test.loop_.settle(); }) {}
    MemoryTunnel tunnel;
    ControlClientRunner runner;
    Pending<void> running;
  };

  std::string routes() {
    std::string text;
    for (const Route& route : edge_->table.routes()) {
      if (!text.empty()) text += ' ';
      text += route.endpoint.text() + '=';
      for (const RouteTarget& target : route.targets) text += target.sidecar + ',';
    }
    return text;
  }

  VirtualLoop loop_;
  MemoryNetwork network_{loop_};
  MemoryWire wire_;
  MemoryTunnel edge_tunnel_{network_, wire_, host(1)};
  int changes_ = 0;
  std::unique_ptr<Edge> edge_ = std::make_unique<Edge>(*this, 1);
};

TEST_F(ControlServerTest, PublishesRenewsAndWithdraws) {
  Sidecar home(*this, 2);
  home.runner.set_wanted({want("a.example.com")});
  loop_.advance(1s);
  EXPECT_EQ(routes(), "a.example.com=home,");
  EXPECT_GT(changes_, 0);
  EXPECT_EQ(home.runner.standing().answers[0].state, EndpointState::granted);
  loop_.advance(1h);
  EXPECT_EQ(routes(), "a.example.com=home,");
  EXPECT_EQ(edge_->server->refused(), 0U);
  loop_.run(home.runner.stop());
  EXPECT_EQ(routes(), "");
}

TEST_F(ControlServerTest, ASidecarThatVanishesLosesItsRoutesWithinTenSeconds) {
  Sidecar home(*this, 2);
  home.runner.set_wanted({want("a.example.com")});
  loop_.advance(1s);
  wire_.dark = true;
  loop_.advance(5s);
  EXPECT_EQ(routes(), "a.example.com=home,") << "not at the first lost packet";
  loop_.advance(5s);
  EXPECT_EQ(routes(), "");
  wire_.dark = false;
  loop_.advance(3s);
  EXPECT_EQ(routes(), "a.example.com=home,");
}

TEST_F(ControlServerTest, AnEdgeThatRestartsGetsEverythingAgain) {
  Sidecar home(*this, 2);
  Sidecar shed(*this, 3);
  home.runner.set_wanted({want("a.example.com")});
  shed.runner.set_wanted({want("b.example.com")});
  loop_.advance(1min);
  edge_.reset();
  loop_.advance(20s);
  EXPECT_FALSE(home.runner.standing().reachable);
  EXPECT_TRUE(home.runner.standing().answers.empty());
  edge_ = std::make_unique<Edge>(*this, 2);
  EXPECT_EQ(routes(), "");
  loop_.advance(6s);
  EXPECT_EQ(routes(), "a.example.com=home, b.example.com=shed,");
  EXPECT_TRUE(home.runner.standing().reachable);
}

TEST_F(ControlServerTest, AQuickRestartIsNoticedWithTheNextHeartbeat) {
  Sidecar home(*this, 2);
  home.runner.set_wanted({want("a.example.com")});
  loop_.advance(1s);
  edge_.reset();
  edge_ = std::make_unique<Edge>(*this, 2);
  loop_.advance(3s);
  EXPECT_EQ(routes(), "a.example.com=home,");
}

TEST_F(ControlServerTest, TwoSidecarsShareAndTakeOver) {
  Sidecar home(*this, 2);
  Sidecar shed(*this, 3);
  home.runner.set_wanted({want("a.example.com", 200)});
  shed.runner.set_wanted({want("a.example.com", 100)});
  loop_.advance(3s);
  EXPECT_EQ(routes(), "a.example.com=home,shed,");
  EXPECT_EQ(shed.runner.standing().answers[0].reason, control::Reason::standby);
  home.running.cancel();
  loop_.advance(10s + 2500ms);
  EXPECT_EQ(routes(), "a.example.com=shed,");
  EXPECT_EQ(shed.runner.standing().answers[0].state, EndpointState::granted);
}

TEST_F(ControlServerTest, TwoProcessesWithOneTicketAreTold) {
  Sidecar one(*this, 2);
  Sidecar two(*this, 2);
  one.runner.set_wanted({want("a.example.com")});
  two.runner.set_wanted({want("a.example.com")});
  int told = 0;
  for (int i = 0; i < 60; ++i) {
    loop_.advance(1s);
    EXPECT_EQ(routes(), "a.example.com=home,");
    for (const Sidecar* each : {&one, &two}) {
      const std::string& problem = each->runner.standing().problem;
      if (problem.find("if two sidecars run with this ticket") != std::string::npos) ++told;
    }
  }
  EXPECT_GT(told, 20);
  EXPECT_LT(edge_->server->refused(), 60U) << "they do not fight without a pause";
}

TEST_F(ControlServerTest, StrangersAreRefused) {
  Sidecar stranger(*this, 9);
  stranger.runner.set_wanted({want("a.example.com")});
  loop_.advance(20s);
  EXPECT_EQ(routes(), "");
  EXPECT_NE(stranger.runner.standing().problem.find("no sidecar of this edge"), std::string::npos);
  EXPECT_FALSE(stranger.runner.standing().revoked);
}

TEST_F(ControlServerTest, ARevokedSidecarLosesItsRoutesAtOnceAndIsTold) {
  Sidecar home(*this, 2);
  home.runner.set_wanted({want("a.example.com")});
  loop_.advance(1s);
  edge_->table.set_sidecars({Edge::allowed("shed", 3)});
  edge_->revoked = "home";
  EXPECT_EQ(routes(), "");
  loop_.advance(3s);
  EXPECT_NE(home.runner.standing().problem.find("was revoked"), std::string::npos);
  EXPECT_TRUE(home.runner.standing().revoked);
}

TEST_F(ControlServerTest, PortsCannotBeTakenTwice) {
  try {
    ControlServer second(network_, edge_tunnel_, edge_->table, &Edge::identify);
    FAIL();
  } catch (const system_error& error) {
    EXPECT_EQ(error.code(), asio::error::address_in_use);
  }
}

}  // namespace
}  // namespace sidestream::edge
