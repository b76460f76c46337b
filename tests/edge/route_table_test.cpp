#include "edge/route_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sidestream::edge {
namespace {

using testing::ElementsAre;

RouteTarget target(const char* sidecar, unsigned priority = 0) {
  return {.sidecar = sidecar, .service = "s", .tunnel_address = {}, .priority = priority};
}
Route route(std::string_view endpoint, std::vector<RouteTarget> targets) {
  return {.endpoint = control::Endpoint::parse(endpoint).value(), .targets = std::move(targets)};
}
Route route(std::string_view endpoint) {
  return route(endpoint, {target("home")});
}

class RouteTableTest : public testing::Test {
 protected:
  // The endpoint that takes a stream; "" for none.
  std::string found(std::uint16_t port, const std::optional<std::string>& name = std::nullopt) {
    std::optional<ServerName> server_name;
    if (name) server_name = ServerName::parse(*name).value();
    const Route* match = table.find(port, server_name);
    return match == nullptr ? "" : match->endpoint.text();
  }
  RouteTable table;
};

TEST_F(RouteTableTest, FindsExactThenWildcardThenDefault) {
  table.replace({route("a.example.com"), route("*.example.com"), route(":443"),
                 route("b.example.com:50002"), route(":2222")});
  EXPECT_EQ(found(443, "a.example.com"), "a.example.com");
  EXPECT_EQ(found(443, "b.example.com"), "*.example.com");
  EXPECT_EQ(found(443, "example.com"), ":443");
  EXPECT_EQ(found(443, "x.a.example.com"), ":443");
  EXPECT_EQ(found(443), ":443");
  EXPECT_EQ(found(50002, "b.example.com"), "b.example.com:50002");
  EXPECT_EQ(found(50002, "a.example.com"), "");
  EXPECT_EQ(found(50002), "");
  EXPECT_EQ(found(2222), ":2222");
  EXPECT_EQ(found(2222, "a.example.com"), ":2222");
  EXPECT_EQ(found(80), "");
}

TEST_F(RouteTableTest, KnowsWhereNamesArePublished) {
  table.replace({route("a.example.com"), route("*.example.com:8443"), route(":2222")});
  EXPECT_TRUE(table.names_published_on(443));
  EXPECT_TRUE(table.names_published_on(8443));
  EXPECT_FALSE(table.names_published_on(2222));
  EXPECT_FALSE(table.names_published_on(80));
  EXPECT_EQ(table.port_default(443), nullptr);
  EXPECT_NE(table.port_default(2222), nullptr);
}

TEST_F(RouteTableTest, ReplacesEverything) {
  table.replace({route("a.example.com"), route(":2222")});
  EXPECT_EQ(table.size(), 2U);
  table.replace({route("b.example.com:8443")});
  EXPECT_EQ(table.size(), 1U);
  EXPECT_FALSE(table.names_published_on(443));
  EXPECT_EQ(found(443, "a.example.com"), "");
  EXPECT_EQ(found(2222), "");
  table.replace({});
  EXPECT_FALSE(table.names_published_on(8443));
}

TEST_F(RouteTableTest, OfTwoForOneEndpointTheFirstCounts) {
  table.replace({route("a.test", {target("one")}), route("A.test.", {target("two")})});
  EXPECT_EQ(table.size(), 1U);
  EXPECT_EQ(table.find(443, ServerName::parse("a.test").value())->targets.front().sidecar, "one");
  table.replace({route("b.test")});
  EXPECT_FALSE(table.find(443, ServerName::parse("a.test").value()));
}

// Fault 62: the name of a sidecar that is away is kept for it.
TEST_F(RouteTableTest, AnEndpointWithoutTargetsHidesTheOnesBehindIt) {
  table.replace({route("a.example.com", {}), route("*.example.com"), route(":443")});
  const Route* kept = table.find(443, ServerName::parse("a.example.com").value());
  ASSERT_NE(kept, nullptr);
  EXPECT_TRUE(kept->targets.empty());
  EXPECT_EQ(found(443, "b.example.com"), "*.example.com");
}

TEST_F(RouteTableTest, TargetsGoByPriorityAndTakeTurns) {
  table.replace({route(":1", {target("low"), target("a", 5), target("b", 5), target("c", 5)})});
  const auto order = [&](std::uint64_t turn) {
    std::vector<std::string> names;
    for (const RouteTarget& one : table.port_default(1)->targets_for(turn))
      names.push_back(one.sidecar);
    return names;
  };
  EXPECT_THAT(order(0), ElementsAre("a", "b", "c", "low"));
  EXPECT_THAT(order(1), ElementsAre("b", "c", "a", "low"));
  EXPECT_THAT(order(5), ElementsAre("c", "a", "b", "low"));
  EXPECT_TRUE(Route{}.targets_for(7).empty());
}

TEST_F(RouteTableTest, AWildcardIsNotFoundByItsOwnText) {
  table.replace({route("*.example.com")});
  EXPECT_EQ(table.find(443, ServerName::parse_with_wildcard("*.b.example.com").value()), nullptr);
}

}  // namespace
}  // namespace sidestream::edge
