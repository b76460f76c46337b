#include "edge/routers/traefik_document.h"

#include <gtest/gtest.h>

namespace sidestream::edge {
namespace {

using Endpoints = std::set<control::Endpoint>;

Endpoints endpoints(std::initializer_list<std::string_view> texts) {
  Endpoints all;
  for (const std::string_view text : texts) all.insert(control::Endpoint::parse(text).value());
  return all;
}

const TraefikEntryPoints entry_points{{443, "websecure"}, {2222, "ssh"}};

TEST(TraefikDocument, FindsEntryPointsByTheirPorts) {
  constexpr std::string_view answer =
      R"~([{"address":":443","name":"websecure","http":{"encodedCharacters":{}}},)~"
      R"~({"address":"0.0.0.0:2222/tcp","name":"ssh"},{"address":":53/udp","name":"dns"},)~"
      R"~({"address":"[::]:443","name":"second"},{"name":"x"},7])~";
  EXPECT_EQ(parse_traefik_entry_points(answer), entry_points);
  EXPECT_FALSE(parse_traefik_entry_points("{}"));
  EXPECT_FALSE(parse_traefik_entry_points("404 page not found"));
}

TEST(TraefikDocument, HasARouterForEachEndpoint) {
  const std::string expected =
      R"~({"tcp":{"routers":{)~"
      R"~("sidestream-2222":{"entryPoints":["ssh"],"rule":"HostSNI(`*`)","service":"sidestream"},)~"
      R"~("sidestream-443-any.b-c.test":{"entryPoints":["websecure"],)~"
      R"~("rule":"HostSNIRegexp(`^[^.]+\\.b-c\\.test$`)","service":"sidestream",)~"
      R"~("tls":{"passthrough":true}},)~"
      R"~("sidestream-443-a.test":{"entryPoints":["websecure"],"rule":"HostSNI(`a.test`)",)~"
      R"~("service":"sidestream","tls":{"passthrough":true}}},)~"
      R"~("services":{"sidestream":{"loadBalancer":{"servers":[{"address":"127.0.0.1:5150"}],)~"
      R"~("proxyProtocol":{"version":2},"terminationDelay":-1}}}}})~";
  EXPECT_EQ(traefik_document(endpoints({"a.test", "*.b-c.test", ":2222", "d.test:99"}),
                             entry_points, "127.0.0.1:5150"),
            expected);
  EXPECT_TRUE(traefik_document({}, entry_points, "127.0.0.1:5150")
                  .starts_with(R"~({"tcp":{"services":{"sidestream":)~"));
}

TEST(TraefikDocument, ThePortItselfTakesTlsTooWhereThereAreNames) {
  const auto port = *endpoints({":443"}).begin();
  EXPECT_EQ(traefik_routers(port, entry_points, false).size(), 1U);
  const auto two = traefik_routers(port, entry_points, true);
  ASSERT_EQ(two.size(), 2U);
  EXPECT_FALSE(two[0].passthrough);
  EXPECT_TRUE(two[1].passthrough);
  EXPECT_NE(two[0].name, two[1].name);
  EXPECT_TRUE(traefik_routers(*endpoints({":99"}).begin(), entry_points, false).empty());
}

TEST(TraefikDocument, AnEndpointIsHeldByAllOfItsRouters) {
  const Endpoints wanted = endpoints({"a.test", "b.test", "c.test", "d.test:99", ":443"});
  constexpr std::string_view answer =
      R"~({"routers":{},"tcpRouters":{)~"
      R"~("sidestream-443-a.test@http":{"rule":"HostSNI(`a.test`)","status":"enabled"},)~"
      R"~("sidestream-443-b.test@http":{"rule":"HostSNI(`b.test`)","error":["no"]},)~"
      R"~("sidestream-443-c.test@file":{"rule":"HostSNI(`c.test`)","status":"enabled"},)~"
      R"~("sidestream-443@http":{"rule":"HostSNI(`*`)","status":"enabled"}}})~";
  const auto held = parse_traefik_held(answer, wanted, entry_points, "http");
  ASSERT_TRUE(held);
  EXPECT_EQ(*held, endpoints({"a.test"}));
  EXPECT_EQ(parse_traefik_held(answer, wanted, entry_points, "file"), endpoints({"c.test"}));
  EXPECT_EQ(parse_traefik_held("{}", wanted, entry_points, "http"), Endpoints());
  EXPECT_FALSE(parse_traefik_held("[]", wanted, entry_points, "http"));
}

}  // namespace
}  // namespace sidestream::edge
