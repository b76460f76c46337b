#include "edge/routers/foreign_router_io.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/edge/edge_router_fixture_io.h"
#include "tests/support/pending_io.h"

namespace sidestream::edge {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// A router that has what it was asked for, unless a test says otherwise.
struct RouterFacts {
  std::string problem;
  std::string process = "1";
  std::size_t changes = 0;
  Duration takes{0};
  std::vector<RouterWish> wishes;
};

class TestDriver final : public RouterDriver {
 public:
  TestDriver(Timers& timers, RouterFacts& facts) : timers_(timers), facts_(facts) {}
  [[nodiscard]] std::string_view name() const override { return "test"; }
  Task<RouterReport> synchronise(RouterWish wish) override {
    facts_.wishes.push_back(wish);
    if (facts_.takes > Duration::zero()) co_await timers_.sleep_for(facts_.takes);
    RouterReport report;
    report.version = "9";
    report.process = facts_.process;
    report.changes = std::exchange(facts_.changes, 0);
    report.standing.problem = facts_.problem;
    if (facts_.problem.empty()) report.standing.held = wish.endpoints;
    for (const auto& endpoint : wish.endpoints) report.standing.ports[endpoint.port] = "";
    co_return report;
  }

 private:
  Timers& timers_;
  RouterFacts& facts_;
};

class ForeignRouterTest : public testing::Test {
 protected:
  ForeignRouterTest() {
    router.on_change([this] { ++changes; });
    running.emplace(world.loop.executor(), router.run(), [this] { world.settle(); });
  }
  ~ForeignRouterTest() override { running.reset(); }

  void publish(std::initializer_list<std::string_view> endpoints) {
    std::vector<Route> routes;
    for (const std::string_view endpoint : endpoints)
      routes.push_back(route(endpoint, {target("home", "10.86.0.2:1001")}));
    router.set_routes(routes);
    world.router.set_routes(std::move(routes));
    world.settle();
  }
  std::unique_ptr<MemoryStream> from_router(std::string_view address = "127.0.0.1:40000") {
    return world.client(5150, address);
  }

  RouterWorld world;
  std::vector<std::string> lines;
  Log log{LogSettings(), world.loop.timers(),
          [this](std::string_view line) { lines.emplace_back(line); }};
  LeaseTable leases{1, "1"};
  RouterFacts facts;
  ForeignRouter router{world.network,
                       world.router,
                       leases,
                       log,
                       std::make_unique<TestDriver>(world.loop.timers(), facts),
                       RouterInletSettings()};
  int changes = 0;
  std::optional<Pending<void>> running;
};

TEST_F(ForeignRouterTest, TellsTheRouterAtOnceAndLooksAfterItEveryTwoSeconds) {
  publish({"a.test"});
  ASSERT_FALSE(facts.wishes.empty());
  EXPECT_EQ(facts.wishes.back().endpoints.size(), 1U);
  EXPECT_EQ(router.problem(), "");
  EXPECT_EQ(router.text(), "test 9");
  EXPECT_EQ(router.ports().open, 1U);
  const std::size_t before = facts.wishes.size();
  world.advance(1900ms);
  EXPECT_EQ(facts.wishes.size(), before);
  world.advance(200ms);
  EXPECT_EQ(facts.wishes.size(), before + 1);
}

TEST_F(ForeignRouterTest, RemovesNothingInItsFirstTenSeconds) {
  publish({"a.test"});
  EXPECT_TRUE(facts.wishes.back().keep_others);
  world.advance(11s);
  EXPECT_FALSE(facts.wishes.back().keep_others);
}

TEST_F(ForeignRouterTest, WhatChangesMeanwhileIsToldRightAfterwards) {
  world.advance(1s);
  facts.takes = 300ms;
  publish({"a.test"});
  publish({"a.test", "b.test"});
  world.advance(299ms);
  EXPECT_EQ(facts.wishes.back().endpoints.size(), 1U);
  world.advance(2ms);
  EXPECT_EQ(facts.wishes.back().endpoints.size(), 2U);
}

TEST_F(ForeignRouterTest, SettlesWhenTheRouterHasBeenAskedOrSoon) {
  world.advance(1s);
  facts.takes = 100ms;
  publish({"a.test"});
  Pending<void> quick(world.loop.executor(), router.settled(), [this] { world.settle(); });
  world.advance(99ms);
  EXPECT_FALSE(quick.done());
  world.advance(2ms);
  EXPECT_TRUE(quick.done());
  facts.takes = 10s;
  world.advance(2s);
  publish({"a.test", "b.test"});
  Pending<void> slow(world.loop.executor(), router.settled(), [this] { world.settle(); });
  world.advance(499ms);
  EXPECT_FALSE(slow.done());
  world.advance(2ms);
  EXPECT_TRUE(slow.done());
}

TEST_F(ForeignRouterTest, SaysOnceWhatIsWrongAndWhoChangedIt) {
  publish({"a.test"});
  lines.clear();
  facts.problem = "it is down";
  world.advance(10s);
  EXPECT_THAT(lines, ElementsAre(HasSubstr("it is down")));
  EXPECT_EQ(router.problem(), "it is down");
  const int before = changes;
  facts.problem.clear();
  world.advance(2s);
  EXPECT_EQ(changes, before + 1);
  EXPECT_THAT(lines.back(), HasSubstr("router is in step"));
  facts.changes = 3;
  world.advance(2s);
  EXPECT_THAT(lines.back(), HasSubstr("changed by somebody else"));
  facts.changes = 3;
  facts.process = "2";
  world.advance(2s);
  EXPECT_THAT(lines.back(), HasSubstr("started again"));
}

TEST_F(ForeignRouterTest, TakesStreamsOverWithTheClientOfTheirHeader) {
  publish({"a.test"});
  auto client = from_router();
  client->push(proxy("203.0.113.7:51234", "192.0.2.1:443") + hello("a.test"));
  world.settle();
  auto sidecar = world.tunnel.take_arrived();
  EXPECT_EQ(sidecar->take(),
            proxy("203.0.113.7:51234", "192.0.2.1:443", "a.test") + hello("a.test"));
  sidecar->push("answer");
  sidecar->push_end();
  client->push_end();
  world.settle();
  EXPECT_EQ(client->take(), "answer");
  ASSERT_EQ(world.records.size(), 1U);
  EXPECT_EQ(world.records[0].client.text(), "203.0.113.7:51234");
  EXPECT_EQ(world.records[0].port, 443);
}

TEST_F(ForeignRouterTest, ASecondHeaderIsTheClientsOwnAndGoesNowhere) {
  publish({":2222"});
  auto client = from_router();
  const std::string forged = proxy("198.51.100.1:1", "192.0.2.1:2222");
  client->push(proxy("203.0.113.7:51234", "192.0.2.1:2222") + forged);
  world.settle();
  EXPECT_EQ(world.tunnel.take_arrived()->take(),
            proxy("203.0.113.7:51234", "192.0.2.1:2222") + forged);
}

TEST_F(ForeignRouterTest, RefusesWhatIsNotTheRouters) {
  publish({"a.test"});
  lines.clear();
  auto stranger = from_router("192.0.2.66:40000");
  EXPECT_EQ(stranger->broken(), asio::error::connection_reset);
  EXPECT_THAT(lines, ElementsAre(HasSubstr("not the router's")));
  auto headless = from_router();
  headless->push(hello("a.test"));
  world.settle();
  EXPECT_EQ(headless->broken(), asio::error::connection_reset);
  auto late = from_router();
  world.advance(6s);
  EXPECT_EQ(late->broken(), asio::error::connection_reset);
  EXPECT_THAT(world.tunnel.dialled, IsEmpty());
  EXPECT_EQ(world.router.counters().accepted, 0U);
}

TEST_F(ForeignRouterTest, AHealthCheckOfTheRouterEndsInOrder) {
  publish({"a.test"});
  lines.clear();
  auto check = from_router();
  check->push(sidestream::text_of(Bytes(serialize_proxy_v2_local())));
  world.settle();
  EXPECT_TRUE(check->at_end());
  EXPECT_THAT(lines, IsEmpty());
}

TEST_F(ForeignRouterTest, StreamsWaitUntilSidecarsHaveHadTimeToPublish) {
  world.settle();
  auto client = from_router();
  client->push(proxy("203.0.113.7:51234", "192.0.2.1:443") + hello("a.test"));
  world.advance(2900ms);
  EXPECT_EQ(world.router.counters().accepted, 0U);
  publish({"a.test"});
  EXPECT_TRUE(world.tunnel.take_arrived()->take().ends_with(hello("a.test")));
}

}  // namespace
}  // namespace sidestream::edge
