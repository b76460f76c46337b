#include "tailnet/local_api_requests.h"

#include <gmock/gmock.h>

namespace sidestream::tailnet {
namespace {

using testing::Contains;
using testing::ElementsAre;

// TS-01: any other host, any Origin and any Referer is answered by 403.
TEST(LocalApiRequests, AreWhatTheDaemonLetsIn) {
  for (const control::HttpRequest& request :
       {status_request(), preferences_request(), serve_config_request(), bus_request(),
        whois_request(*SocketAddress::parse("127.0.0.1:5")), certificate_request("a.tn.test", 720),
        ping_request(*IpAddress::parse("100.64.0.2")), dial_request("edge.tn.test", 5151)}) {
    EXPECT_THAT(request.fields, Contains(control::HttpField{"host", "local-tailscaled.sock"}));
    EXPECT_EQ(control::find_field(request.fields, "origin"), nullptr);
    EXPECT_EQ(control::find_field(request.fields, "referer"), nullptr);
    EXPECT_TRUE(request.target.starts_with("/localapi/v0/")) << request.target;
  }
}

TEST(LocalApiRequests, Targets) {
  EXPECT_EQ(status_request().target, "/localapi/v0/status?peers=false");
  EXPECT_EQ(bus_request().target, "/localapi/v0/watch-ipn-bus?mask=130");
  EXPECT_EQ(certificate_request("a.tn.test", 720).target,
            "/localapi/v0/cert/a.tn.test?type=pair&min_validity=720h");
  EXPECT_EQ(ping_request(*IpAddress::parse("100.64.0.2")).method, "POST");
  EXPECT_THAT(dial_request("edge.tn.test", 5151).fields,
              Contains(control::HttpField{"dial-host", "edge.tn.test"}));
}

// TS-09
TEST(LocalApiRequests, WhoisOfEveryKindOfAddress) {
  const auto asked = [](const char* text) {
    return whois_request(*SocketAddress::parse(text)).target.substr(13);
  };
  EXPECT_EQ(asked("127.0.0.1:4711"), "whois?addr=127.0.0.1%3A4711&proto=tcp");
  EXPECT_EQ(asked("[fd7a:115c:a1e0::2]:80"),
            "whois?addr=%5Bfd7a%3A115c%3Aa1e0%3A%3A2%5D%3A80&proto=tcp");
  EXPECT_EQ(asked("[::ffff:100.64.0.2]:80"), "whois?addr=100.64.0.2%3A80&proto=tcp");
  EXPECT_EQ(whois_request(*IpAddress::parse("100.64.0.2")).target,
            "/localapi/v0/whois?addr=100.64.0.2");
}

TEST(LocalApiRequests, SocketPlaces) {
  EXPECT_THAT(socket_places("/a", "/b"), ElementsAre("/a"));
  const auto places = socket_places("", "/tmp/tailscaled.sock");
  EXPECT_EQ(places.front(), "/tmp/tailscaled.sock");
  EXPECT_EQ(places.size(), 6U) << "no place twice";
  EXPECT_EQ(socket_places("", "").front(), "/var/run/tailscale/tailscaled.sock");
}

}  // namespace
}  // namespace sidestream::tailnet
