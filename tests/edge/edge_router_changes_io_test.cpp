// Several targets, and what changes while streams live.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/edge/edge_router_fixture_io.h"

namespace sidestream::edge {
namespace {

using testing::ElementsAre;

TEST_F(EdgeRouterTest, TriesTheNextTarget) {
  world.router.set_routes(
      {route(":2222", {target("first", "10.86.0.2:1", 9), target("second", "10.86.0.3:1", 5),
                       target("third", "10.86.0.4:1", 1)})});
  world.tunnel.refusing.insert("10.86.0.2:1");
  world.tunnel.silent.insert("10.86.0.3:1");
  auto client = world.client(2222);
  EXPECT_THAT(world.tunnel.dialled, ElementsAre("10.86.0.2:1", "10.86.0.3:1"));
  world.advance(4s);
  auto sidecar = world.tunnel.take_arrived();
  EXPECT_EQ(sidecar->local_address().text(), "10.86.0.4:1");
  client->push_end();
  sidecar->push_end();
  world.settle();
  EXPECT_EQ(world.records.back().sidecar, "third");
  EXPECT_EQ(world.records.back().error, "");
}

TEST_F(EdgeRouterTest, OneThatWasNotReachedIsTriedLastForAWhile) {
  world.router.set_routes(
      {route(":2222", {target("first", "10.86.0.2:1", 9), target("second", "10.86.0.3:1", 5)})});
  world.tunnel.silent.insert("10.86.0.2:1");
  auto client = world.client(2222);
  world.advance(4s);
  EXPECT_THAT(world.tunnel.dialled, ElementsAre("10.86.0.2:1", "10.86.0.3:1"));
  world.tunnel.dialled.clear();
  auto next = world.client(2222);
  EXPECT_THAT(world.tunnel.dialled, ElementsAre("10.86.0.3:1")) << "it does not wait again";
  world.tunnel.dialled.clear();
  world.tunnel.silent.clear();
  world.advance(5s);
  auto later = world.client(2222);
  EXPECT_THAT(world.tunnel.dialled, ElementsAre("10.86.0.2:1"));
}

TEST_F(EdgeRouterTest, ClosesWhenNoTargetAnswers) {
  world.tunnel.refusing.insert("10.86.0.2:1002");
  auto client = world.client(2222);
  EXPECT_EQ(client->broken(), asio::error::connection_reset);
  EXPECT_EQ(world.records.back().end, StreamEnd::sidecar_unreachable);
  EXPECT_FALSE(world.records.back().error.empty());
}

TEST_F(EdgeRouterTest, EqualTargetsTakeTurns) {
  world.router.set_routes(
      {route(":2222", {target("one", "10.86.0.2:1"), target("two", "10.86.0.3:1")})});
  std::vector<std::unique_ptr<MemoryStream>> clients;
  for (int i = 0; i < 200; ++i) clients.push_back(world.client(2222));
  const auto ones = std::ranges::count(world.tunnel.dialled, "10.86.0.2:1");
  EXPECT_GT(ones, 60);
  EXPECT_LT(ones, 140);
}

TEST_F(EdgeRouterTest, ABanIsOfOneSidecarsTargetsOnly) {
  world.banned = {"one 203.0.113.7"};
  world.router.set_routes(
      {route(":2222", {target("one", "10.86.0.2:1"), target("two", "10.86.0.3:1")}),
       route("a.test", {target("one", "10.86.0.2:2")})});
  for (int i = 0; i < 20; ++i) auto client = world.client(2222);
  EXPECT_EQ(std::ranges::count(world.tunnel.dialled, "10.86.0.3:1"), 20);
  world.settle();  // those have ended
  world.tunnel.dialled.clear();

  auto client = world.client(443);
  client->push(hello("a.test"));
  world.settle();
  EXPECT_EQ(client->broken(), asio::error::connection_reset);
  EXPECT_THAT(world.tunnel.dialled, testing::IsEmpty());
  EXPECT_EQ(world.router.counters().ended[std::to_underlying(StreamEnd::banned)], 1U);
  auto looker = world.client(443);
  looker->push(text(client_hello_for("a.test", {"acme-tls/1"})));
  world.settle();
  EXPECT_FALSE(looker->broken()) << "an authority, perhaps; the sidecar knows";
  EXPECT_THAT(world.tunnel.dialled, testing::ElementsAre("10.86.0.2:2"));
  world.tunnel.dialled.clear();
  auto other = world.client(443, "203.0.113.8:51234");
  other->push(hello("a.test"));
  world.settle();
  EXPECT_THAT(world.tunnel.dialled, testing::ElementsAre("10.86.0.2:2"));
}

// A client whom a sidecar does not serve must not look like a sidecar that is away: others would
// not get there for a while, and the client would get to the next one.
TEST_F(EdgeRouterTest, ASidecarThatEndsAStreamAtOnceWasReached) {
  RouteTarget first = target("one", "10.86.0.2:1");
  first.priority = 200;
  world.router.set_routes({route(":2222", {first, target("two", "10.86.0.3:1")})});
  world.tunnel.resetting.insert("10.86.0.2:1");
  auto refused = world.client(2222);
  EXPECT_EQ(refused->broken(), asio::error::connection_reset);
  EXPECT_THAT(world.tunnel.dialled, testing::ElementsAre("10.86.0.2:1"));
  EXPECT_EQ(world.records.back().end, StreamEnd::sidecar_broke);
  world.tunnel.resetting.clear();
  auto served = world.client(2222);
  EXPECT_EQ(world.tunnel.dialled.back(), "10.86.0.2:1");
}

// ---- changes at run time ---------------------------------------------------------------------

TEST_F(EdgeRouterTest, RoutesChangeForNewStreamsOnly) {
  auto client = world.client(2222);
  auto sidecar = world.tunnel.take_arrived();
  sidecar->take();
  world.router.set_routes({route(":2222", {target("other", "10.86.0.9:1")})});
  client->push("still here");
  world.settle();
  EXPECT_EQ(sidecar->take(), "still here");
  auto newer = world.client(2222);
  EXPECT_EQ(world.tunnel.dialled.back(), "10.86.0.9:1");
}

TEST_F(EdgeRouterTest, RevokingCutsTheStreamsOfOneSidecar) {
  world.router.set_routes({route(":2222", {target("home", "10.86.0.2:1")}),
                           route("b.test", {target("other", "10.86.0.3:1")})});
  auto cut = world.client(2222);
  auto kept = world.client(443);
  kept->push(hello("b.test"));
  world.settle();
  world.tunnel.silent.insert("10.86.0.2:1");
  auto connecting = world.client(2222);
  EXPECT_EQ(world.router.abort_streams_of("home"), 2U);
  world.advance(4s);
  EXPECT_EQ(cut->broken(), asio::error::connection_reset);
  EXPECT_EQ(connecting->broken(), asio::error::connection_reset);
  EXPECT_FALSE(kept->broken());
  ASSERT_EQ(world.records.size(), 2U);
  for (const StreamRecord& record : world.records) EXPECT_EQ(record.end, StreamEnd::cut);
  EXPECT_EQ(world.router.abort_streams_of("home"), 0U);
  EXPECT_EQ(world.router.counters().active, 1U);
}

TEST_F(EdgeRouterTest, PortsOpenAndClose) {
  EXPECT_TRUE(world.router.open_port(443));  // again
  auto client = world.client(2222);
  world.router.close_port(2222);
  world.router.close_port(2222);
  EXPECT_FALSE(world.network.listens_on(2222));
  EXPECT_FALSE(world.router.is_open(2222));
  auto sidecar = world.tunnel.take_arrived();
  client->push("still here");
  world.settle();
  EXPECT_TRUE(sidecar->take().ends_with("still here"));
  EXPECT_TRUE(world.router.open_port(2222));
  world.settle();
  EXPECT_TRUE(world.network.listens_on(2222));
  auto newer = world.client(2222);
  EXPECT_EQ(world.tunnel.arrived.size(), 1U);
}

TEST_F(EdgeRouterTest, SaysWhyAPortIsNotOpen) {
  world.network.failing_addresses.insert("::");
  world.network.failure = asio::error::access_denied;
  EXPECT_EQ(world.router.open_port(81).error(), asio::error::access_denied);
  EXPECT_FALSE(world.router.is_open(81));
}

TEST_F(EdgeRouterTest, StopEndsEverything) {
  auto undecided = world.client(443);
  auto routed = world.client(2222);
  auto sidecar = world.tunnel.take_arrived();
  world.tunnel.silent.insert("10.86.0.2:1002");
  auto connecting = world.client(2222);
  world.loop.run(world.router.stop());
  EXPECT_EQ(routed->broken(), asio::error::connection_reset);
  EXPECT_EQ(sidecar->broken(), asio::error::connection_reset);
  EXPECT_EQ(undecided->broken(), asio::error::connection_reset);
  EXPECT_EQ(connecting->broken(), asio::error::connection_reset);
  EXPECT_EQ(world.router.counters().active, 0U);
  ASSERT_EQ(world.records.size(), 3U);
  for (const StreamRecord& record : world.records) EXPECT_EQ(record.end, StreamEnd::edge_stopped);
}

TEST_F(EdgeRouterTest, DrainWaitsForStreamsToEnd) {
  auto client = world.client(2222);
  auto sidecar = world.tunnel.take_arrived();
  auto draining = world.loop.start(world.router.drain(10s));
  world.advance(3s);
  EXPECT_FALSE(draining.done());
  EXPECT_FALSE(world.network.listens_on(2222));
  client->push_end();
  sidecar->push_end();
  world.settle();
  EXPECT_TRUE(draining.done());
  EXPECT_EQ(world.records.back().end, StreamEnd::finished);
}

TEST_F(EdgeRouterTest, DrainHasAnEnd) {
  auto client = world.client(2222);
  auto draining = world.loop.start(world.router.drain(10s));
  world.advance(9999ms);
  EXPECT_FALSE(draining.done());
  world.advance(1ms);
  EXPECT_TRUE(draining.done());
  EXPECT_FALSE(draining.error());
  EXPECT_FALSE(client->broken());
}

}  // namespace
}  // namespace sidestream::edge
