#include "tests/support/simulated_network_io.h"

#include <set>

#include "streams/join_io.h"
#include "tests/streams/simulation_fixture_io.h"

namespace sidestream {
namespace {

TEST_F(Simulation, NamesCanChangeAndTheResolverCanBeGone) {
  world_.set_name("edge.example.com", {ip("192.0.2.1"), ip("2001:db8::1")});
  const auto found = world_.run(home_.network().resolve("edge.example.com", 443, 5s));
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[1].text(), "[2001:db8::1]:443");
  EXPECT_EQ(error_of(home_.network().resolve("none.example.com", 1, 5s)),
            asio::error::host_not_found);
  world_.set_name("edge.example.com", {ip("192.0.2.9")});
  EXPECT_EQ(world_.run(home_.network().resolve("edge.example.com", 443, 5s))[0].text(),
            "192.0.2.9:443");
  home_.set_resolver(false);
  EXPECT_EQ(error_of(home_.network().resolve("edge.example.com", 443, 5s)), asio::error::timed_out);
  EXPECT_EQ(world_.run(home_.network().resolve("192.0.2.7", 1, 5s))[0].text(), "192.0.2.7:1");
}

TEST_F(Simulation, HostsHaveTheirOwnWallClocks) {
  edge_.jump_wall_clock(-24h * 365);
  EXPECT_EQ(home_.network().timers().wall_now() - edge_.network().timers().wall_now(), 24h * 365);
  EXPECT_EQ(home_.network().timers().now(), edge_.network().timers().now());
}

TEST_F(Simulation, DestroyedWorldDestroysEveryCoroutine) {
  auto world = std::make_unique<World>(5);
  SimulatedHost& host = world->add_host("host", {ip("192.0.2.1")});
  struct Server {
    static Task<> run(Network& network) {
      const auto listener = network.listen({IpAddress(), 1}, {});
      const auto near = co_await network.connect({IpAddress::v4(0x7f000001), 1}, 5s);
      const auto far = co_await listener->accept();
      const auto socket = network.open_udp({IpAddress(), 1});
      Task<> a = near->wait_readable();
      Task<> b = far->wait_readable();
      Task<> c = socket->wait_readable();
      Task<> d = network.timers().sleep_for(1h);
      Task<> ab = both(std::move(a), std::move(b));
      Task<> cd = both(std::move(c), std::move(d));
      co_await both(std::move(ab), std::move(cd));
    }
  };
  asio::co_spawn(world->loop().executor(), Server::run(host.network()),
                 [](const std::exception_ptr&) {});
  world->advance(1s);
  world.reset();
}

// A chatter of datagrams and streams over bad paths, twice with each seed.
std::uint64_t chatter(std::uint64_t seed) {
  World world(seed);
  SimulatedHost& one = world.add_host("one", {ip("192.0.2.1")});
  SimulatedHost& other = world.add_host("other", {ip("192.0.2.2")});
  world.set_paths(one, other,
                  {.delay = 7ms, .jitter = 3ms, .loss = 0.1, .duplicate = 0.1, .reorder = 0.2});
  struct Program {
    static Task<> echo(Network& network) {
      const auto socket = network.open_udp({IpAddress(), 9});
      for (;;) {
        co_await socket->wait_readable();
        for (const DatagramSocket::Batch& batch : socket->receive()) socket->send(batch);
      }
    }
    static Task<> ask(Network& network) {
      const auto socket = network.open_udp({IpAddress(), 0});
      for (int i = 0; i < 200; ++i) {
        std::vector<std::uint8_t> bytes(network.random().below(100) + 1);
        network.random().fill(bytes);
        socket->send({.remote = {ip("192.0.2.2"), 9},
                      .bytes = bytes,
                      .segment_bytes = bytes.size(),
                      .traffic_class = 0});
        co_await network.timers().sleep_for(std::chrono::microseconds(network.random().below(999)));
        socket->receive();
      }
    }
  };
  auto echo = world.start(Program::echo(other.network()));
  auto ask = world.start(Program::ask(one.network()));
  world.advance(5s);
  EXPECT_TRUE(ask.done());
  return world.fingerprint();
}

TEST(SimulationSeeds, SameSeedSameRunOtherSeedOtherRun) {
  std::set<std::uint64_t> fingerprints;
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    const std::uint64_t fingerprint = chatter(seed);
    EXPECT_EQ(fingerprint, chatter(seed)) << "seed " << seed;
    fingerprints.insert(fingerprint);
  }
  EXPECT_EQ(fingerprints.size(), 50U);
}

}  // namespace
}  // namespace sidestream
