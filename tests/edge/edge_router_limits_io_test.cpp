// The router under more than it takes: faults 53, 56 and 60.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/edge/router_world_io.h"
#include "tests/support/client_hello_builder.h"

namespace sidestream::edge {
namespace {

using Clients = std::vector<std::unique_ptr<MemoryStream>>;

std::string hello(const std::string& name) {
  return std::string(sidestream::text_of(client_hello_for(name)));
}
std::string client_address(int number) {
  return "198.51." + std::to_string(number / 256) + "." + std::to_string(number % 256) + ":1000";
}
void open_ports(RouterWorld& world) {
  world.router.set_routes({route("a.test", {target("home", "10.86.0.2:1001")}),
                           route(":2222", {target("home", "10.86.0.2:1002")})});
  EXPECT_TRUE(world.router.open_port(443));
  EXPECT_TRUE(world.router.open_port(2222));
}
std::uint64_t ended(const RouterWorld& world, StreamEnd end) {
  return world.router.counters().ended[std::to_underlying(end)];
}
std::size_t broken_among(const Clients& clients) {
  return static_cast<std::size_t>(
      std::ranges::count_if(clients, [](const auto& client) { return bool(client->broken()); }));
}

// Fault 53, from one source: only so many of its hellos are waited for, and nobody else notices.
TEST(EdgeRouterLimitsTest, OneClientHasOnlySoManyUnreadHellos) {
  RouterWorld world;
  open_ports(world);
  Clients slow;
  for (int i = 0; i < 1000; ++i) slow.push_back(world.client(443));
  EXPECT_EQ(world.router.counters().undecided, 128U);
  EXPECT_EQ(broken_among(slow), 1000U - 128U);
  EXPECT_EQ(ended(world, StreamEnd::too_many_of_client), 1000U - 128U);
  auto good = world.client(443, "203.0.113.9:1");
  good->push(hello("a.test"));
  world.settle();  // at once
  EXPECT_EQ(world.tunnel.arrived.size(), 1U);
  world.advance(5s);
  EXPECT_EQ(broken_among(slow), 1000U);
  EXPECT_FALSE(good->broken());
  EXPECT_EQ(world.router.counters().active, 1U);
}

// The same from many: the ones that have waited longest go first, so a client that says its name
// at once gets through.
TEST(EdgeRouterLimitsTest, ManyClientsPushOutTheOneThatWaitsLongest) {
  RouterWorld world({.admission = {.undecided_max = 100}});
  open_ports(world);
  Clients slow;
  for (int i = 0; i < 150; ++i) slow.push_back(world.client(443, client_address(i)));
  EXPECT_EQ(world.router.counters().undecided, 100U);
  EXPECT_EQ(broken_among(slow), 50U);
  EXPECT_TRUE(slow[49]->broken());
  EXPECT_FALSE(slow[50]->broken());
  EXPECT_EQ(ended(world, StreamEnd::given_up), 50U);
  auto good = world.client(443, "203.0.113.9:1");
  good->push(hello("a.test"));
  world.settle();
  EXPECT_EQ(world.tunnel.arrived.size(), 1U);
  EXPECT_FALSE(good->broken());
}

// Fault 31: who has a stream keeps it for as long as there is somebody newer.
TEST(EdgeRouterLimitsTest, ScarceMemoryCostsTheNewest) {
  RouterWorld world;
  open_ports(world);
  Clients clients;
  world.router.set_room(10);
  for (int i = 0; i < 12; ++i) clients.push_back(world.client(2222, client_address(i)));
  EXPECT_EQ(ended(world, StreamEnd::no_memory), 2U);
  EXPECT_TRUE(clients[10]->broken());
  EXPECT_EQ(world.router.shed_newest(3), 3U);
  EXPECT_EQ(world.router.shed_newest(1), 1U);
  world.settle();
  EXPECT_EQ(ended(world, StreamEnd::shed), 4U);
  for (std::size_t i = 0; i < 6; ++i) EXPECT_FALSE(clients[i]->broken()) << i;
  for (std::size_t i = 6; i < 10; ++i) EXPECT_TRUE(clients[i]->broken()) << i;
  // There is room again.
  world.router.set_room(1);
  clients.push_back(world.client(2222, client_address(20)));
  EXPECT_FALSE(clients.back()->broken());
  EXPECT_EQ(world.router.shed_newest(100), 7U);
  world.router.set_room(std::nullopt);
  world.settle();
  for (int i = 0; i < 100; ++i) clients.push_back(world.client(2222, client_address(i)));
  EXPECT_EQ(world.router.counters().active, 100U);
}

// Fault 56: a flood of connections from one source.
TEST(EdgeRouterLimitsTest, OneClientHasOnlySoManyStreams) {
  RouterWorld world({.admission = {.streams_per_client_max = 50}});
  open_ports(world);
  Clients flood;
  for (int i = 0; i < 200; ++i) flood.push_back(world.client(2222, "[2001:db8::1]:1000"));
  for (int i = 0; i < 10; ++i) flood.push_back(world.client(2222, "[2001:db8::2]:1000"));
  EXPECT_EQ(world.router.counters().active, 50U);
  EXPECT_EQ(ended(world, StreamEnd::too_many_of_client), 160U);
  auto good = world.client(2222, "[2001:db8:0:1::1]:1000");
  EXPECT_FALSE(good->broken());
  flood.front()->abort();
  world.settle();
  auto again = world.client(2222, "[2001:db8::1]:1000");
  EXPECT_FALSE(again->broken());
}

TEST(EdgeRouterLimitsTest, AllClientsHaveOnlySoManyStreams) {
  RouterWorld world({.admission = {.streams_max = 20}});
  open_ports(world);
  Clients clients;
  for (int i = 0; i < 30; ++i) clients.push_back(world.client(2222, client_address(i)));
  EXPECT_EQ(world.router.counters().active, 20U);
  EXPECT_EQ(ended(world, StreamEnd::too_many_streams), 10U);
  EXPECT_TRUE(clients[20]->broken());
  EXPECT_FALSE(clients[19]->broken());
}

// Fault 60: the log grows slowly however much junk arrives; the counters know it all.
TEST(EdgeRouterLimitsTest, TellsRefusalsAtALimitedRate) {
  RouterWorld world;
  open_ports(world);
  for (int i = 0; i < 6000; ++i) {
    auto junk = world.client(443, client_address(i % 500));
    junk->push("GET / HTTP/1.1\r\n\r\n");
    world.advance(10ms);
  }
  EXPECT_EQ(ended(world, StreamEnd::not_tls), 6000U);
  EXPECT_LE(world.records.size(), 60U + 60U);
  std::uint64_t told = 0;
  for (const StreamRecord& record : world.records) told += 1 + record.untold_refusals;
  EXPECT_GE(told, 5900U);
}

TEST(EdgeRouterLimitsTest, PausesWhenAcceptFails) {
  RouterWorld world;
  open_ports(world);
  world.network.fail_accepts(
      2222, boost::system::errc::make_error_code(boost::system::errc::too_many_files_open), 30);
  world.settle();
  EXPECT_EQ(world.router.counters().accept_failures, 1U);  // no spinning
  auto waiting = world.network.connect_client(2222, "203.0.113.7:1");
  world.advance(1s);
  EXPECT_EQ(world.router.counters().accept_failures, 11U);
  EXPECT_EQ(world.accept_failures.size(), 1U);
  world.advance(2s);
  EXPECT_EQ(world.router.counters().accept_failures, 30U);
  EXPECT_EQ(world.tunnel.arrived.size(), 1U);  // and then it goes on
  EXPECT_FALSE(waiting->broken());
  auto other_port = world.client(443);
  EXPECT_EQ(world.router.counters().active, 2U);
}

TEST(EdgeRouterLimitsTest, ABackendThatReadsNothingStopsItsClientOnly) {
  RouterWorld world;
  open_ports(world);
  auto stalled = world.client(2222);
  auto other = world.client(2222);
  auto stalled_sidecar = world.tunnel.take_arrived();
  auto other_sidecar = world.tunnel.take_arrived();
  other_sidecar->take();
  std::size_t pushed = 0;
  for (const std::string block(64UL * 1024, 'x'); stalled->push(block); world.settle())
    pushed += block.size();
  EXPECT_LE(pushed, 1024UL * 1024);  // back-pressure
  other->push("ping");
  world.settle();
  EXPECT_EQ(other_sidecar->take(), "ping");
}

// An authority that shares an address with somebody who has too many streams, as a relay's does.
TEST(EdgeRouterLimitsTest, WhoLooksAtANameIsOverNoLimitOfItsAddress) {
  RouterWorld world({.admission = {.streams_per_client_max = 2, .lookers_max = 3}});
  open_ports(world);
  const auto challenge = [&](const std::vector<std::string>& alpn) {
    auto client = world.client(443);
    client->push(std::string(sidestream::text_of(client_hello_for("a.test", alpn))));
    world.settle();
    return client;
  };
  Clients clients;
  for (int i = 0; i < 2; ++i) clients.push_back(world.client(2222));
  clients.push_back(challenge({"acme-tls/1"}));
  EXPECT_FALSE(clients.back()->broken());
  EXPECT_EQ(world.tunnel.arrived.size(), 3U);
  // Whoever wants anything else is refused as before, and so is the same on a port without names.
  for (const std::vector<std::string>& alpn :
       {std::vector<std::string>{}, {"h2"}, {"acme-tls/1", "h2"}, {"h2", "acme-tls/1"}})
    EXPECT_TRUE(challenge(alpn)->broken());
  EXPECT_TRUE(world.client(2222)->broken());
  EXPECT_EQ(ended(world, StreamEnd::too_many_of_client), 5U);
  // And only so many at once.
  for (int i = 0; i < 5; ++i) clients.push_back(challenge({"acme-tls/1"}));
  EXPECT_EQ(world.router.counters().active, 5U);
  EXPECT_EQ(broken_among(clients), 3U);
  clients.clear();
  world.settle();
  EXPECT_EQ(world.router.counters().active, 0U);
  EXPECT_FALSE(challenge({"acme-tls/1"})->broken());
}

}  // namespace
}  // namespace sidestream::edge
