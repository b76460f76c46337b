#include "edge/routers/caddy_document.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sidestream::edge {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::string_view inlet = "127.0.0.1:5150";
constexpr std::string_view handle = R"("handle":[{"handler":"proxy","proxy_protocol":"v2",)"
                                    R"("upstreams":[{"dial":["127.0.0.1:5150"]}]}])";

std::set<control::Endpoint> endpoints(std::initializer_list<std::string_view> texts) {
  std::set<control::Endpoint> all;
  for (const std::string_view text : texts) all.insert(*control::Endpoint::parse(text));
  return all;
}

std::string server(std::string_view port, std::string_view match) {
  return R"({"@id":"sidestream-)" + std::string(port) + R"(","listen":[":)" + std::string(port) +
         R"("],"matching_timeout":"5s","routes":[{)" + std::string(handle) + std::string(match) +
         "}]}";
}

std::string with_servers(std::string_view servers) {
  return R"({"apps":{"layer4":{"servers":{)" + std::string(servers) + "}}}}";
}

CaddyView view_of(std::string_view answer) {
  const auto view = parse_caddy_configuration(answer);
  EXPECT_TRUE(view);
  return view.value_or(CaddyView());
}

constexpr std::string_view two_names = R"(,"match":[{"tls":{"sni":["*.b.test","a.test"]}}])";

TEST(CaddyDocument, NamesOfOnePortAreOneServerAndARawPortIsAnother) {
  const auto wish = endpoints({"a.test", "*.b.test", ":2222"});
  EXPECT_THAT(caddy_requests(view_of("null"), wish, false, inlet),
              ElementsAre(CaddyRequest{"PUT", "/config/apps/layer4/servers/sidestream-443",
                                       server("443", two_names)},
                          CaddyRequest{"PUT", "/config/apps/layer4/servers/sidestream-2222",
                                       server("2222", "")}));
}

TEST(CaddyDocument, WhatIsThereIsLeftAlone) {
  const auto wish = endpoints({"a.test", "*.b.test"});
  const CaddyView view = view_of(with_servers(R"("sidestream-443":)" + server("443", two_names)));
  EXPECT_THAT(caddy_requests(view, wish, false, inlet), IsEmpty());
  EXPECT_EQ(caddy_held(view, wish, inlet), wish);
}

TEST(CaddyDocument, WhatChangedIsReplacedAndWhatIsGoneDeleted) {
  const CaddyView view = view_of(with_servers(R"("sidestream-443":)" + server("443", two_names) +
                                              R"(,"sidestream-2222":)" + server("2222", "")));
  EXPECT_THAT(caddy_requests(view, endpoints({"a.test"}), false, inlet),
              ElementsAre(CaddyRequest{"DELETE", "/id/sidestream-2222", ""},
                          CaddyRequest{"PATCH", "/id/sidestream-443",
                                       server("443", R"(,"match":[{"tls":{"sni":["a.test"]}}])")}));
  // Right after the edge's start nothing is taken away.
  EXPECT_THAT(caddy_requests(view, endpoints({"a.test"}), true, inlet), IsEmpty());
  EXPECT_EQ(caddy_held(view, endpoints({"a.test", "c.test", ":2222", ":2223"}), inlet),
            endpoints({"a.test", ":2222"}));
}

TEST(CaddyDocument, APortWithASomebodyElsesServerGetsARouteInFrontOfTheOthers) {
  const std::string theirs =
      R"("mine":{"listen":["tcp/:443"],"routes":[{"handle":[{"handler":"echo"}]}]})";
  const std::string route =
      R"({"@id":"sidestream-443",)" + std::string(handle) + std::string(two_names) + "}";
  const auto wish = endpoints({"a.test", "*.b.test"});
  EXPECT_THAT(caddy_requests(view_of(with_servers(theirs)), wish, false, inlet),
              ElementsAre(CaddyRequest{"PUT", "/config/apps/layer4/servers/mine/routes/0", route}));
  const CaddyView view = view_of(with_servers(R"("mine":{"listen":[":443"],"routes":[)" + route +
                                              R"(,{"handle":[{"handler":"echo"}]}]})"));
  EXPECT_THAT(caddy_requests(view, wish, false, inlet), IsEmpty());
  EXPECT_EQ(caddy_held(view, wish, inlet), wish);
  EXPECT_THAT(caddy_requests(view, {}, false, inlet),
              ElementsAre(CaddyRequest{"DELETE", "/id/sidestream-443", ""}));
}

TEST(CaddyDocument, AnEmptyServerGetsItsFirstRoute) {
  const auto wish = endpoints({":443"});
  const std::string route = R"({"@id":"sidestream-443",)" + std::string(handle) + "}";
  EXPECT_THAT(caddy_requests(view_of(with_servers(R"("mine":{"listen":[":443"],"routes":[]})")),
                             wish, false, inlet),
              ElementsAre(CaddyRequest{"POST", "/config/apps/layer4/servers/mine/routes", route}));
  EXPECT_THAT(caddy_requests(view_of(with_servers(R"("mine":{"listen":["[::]:440-450"]})")), wish,
                             false, inlet),
              ElementsAre(CaddyRequest{"PUT", "/config/apps/layer4/servers/mine/routes",
                                       "[" + route + "]"}));
}

TEST(CaddyDocument, ThePortOfItsWebServerIsNotShared) {
  const CaddyView view =
      view_of(R"({"apps":{"http":{"servers":{"web":{"listen":[":80","udp/:8443",":443"]}}}}})");
  EXPECT_THAT(view.http, ElementsAre(80, 443));
  EXPECT_THAT(caddy_requests(view, endpoints({"a.test"}), false, inlet), IsEmpty());
}

TEST(CaddyDocument, AnEditedOneIsPutRight) {
  const CaddyView view = view_of(with_servers(
      R"("sidestream-443":{"@id":"sidestream-443","listen":[":443"],"routes":[{"handle":[]}]})"));
  const auto wish = endpoints({"a.test", "*.b.test"});
  EXPECT_THAT(caddy_held(view, wish, inlet), IsEmpty());
  EXPECT_THAT(caddy_requests(view, wish, false, inlet),
              ElementsAre(CaddyRequest{"PATCH", "/id/sidestream-443", server("443", two_names)}));
}

TEST(CaddyDocument, NoAnswerOfCaddys) {
  EXPECT_FALSE(parse_caddy_configuration("<html>"));
  EXPECT_FALSE(parse_caddy_configuration("[]"));
  EXPECT_TRUE(parse_caddy_configuration("{}"));
  EXPECT_TRUE(parse_caddy_configuration(R"({"apps":{"layer4":7,"http":{"servers":[]}}})"));
}

}  // namespace
}  // namespace sidestream::edge
