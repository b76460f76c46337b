#include "sidecar/engine_requests.h"

#include <gtest/gtest.h>

namespace sidestream::sidecar {
namespace {

TEST(EngineAddress, HasThreeForms) {
  const auto text = [](std::string_view written) {
    const auto address = EngineAddress::parse(written);
    return address ? address->text() : "error: " + address.error();
  };
  EXPECT_EQ(text("unix:/var/run/docker.sock"), "unix:/var/run/docker.sock");
  EXPECT_EQ(text("unix:///var/run/docker.sock"), "unix:/var/run/docker.sock");
  EXPECT_EQ(text("tcp://socket-proxy:2375"), "socket-proxy:2375");
  EXPECT_EQ(text("socket-proxy:2375"), "socket-proxy:2375");
  EXPECT_EQ(text("socket-proxy"), "error: \"socket-proxy\": the port is missing; write HOST:PORT");
  EXPECT_EQ(text("/var/run/docker.sock"),
            "error: \"/var/run/docker.sock\": write unix: before the path of a Unix socket");
}

TEST(EngineRequests, SpeakTheNewestVersionOfBoth) {
  const auto prefix = [](std::string version) {
    return api_prefix({{"server", "x"}, {"api-version", std::move(version)}});
  };
  EXPECT_EQ(prefix("1.41"), "/v1.41");
  EXPECT_EQ(prefix("1.44"), "/v1.44");
  EXPECT_EQ(prefix("1.52"), "/v1.44");
  for (const std::string none : {"", "2.0", "1.", "1.x", "1.41.1", "1.99999999999"})
    EXPECT_EQ(prefix(none), "") << none;
  EXPECT_EQ(api_prefix({}), "");
}

TEST(EngineRequests, OnlyGet) {
  for (const auto& [request, target] : std::vector<std::pair<control::HttpRequest, std::string>>{
           {ping_request(), "/_ping"},
           {list_request("/v1.41"), "/v1.41/containers/json"},
           {container_request("", "abc"), "/containers/abc/json"},
           {events_request("/v1.44"),
            "/v1.44/events?filters=%7B%22type%22%3A%5B%22container%22%2C%22network%22%5D%7D"}}) {
    EXPECT_EQ(request.method, "GET");
    EXPECT_EQ(request.target, target);
    EXPECT_EQ(request.body, "");
  }
}

TEST(EngineRequests, SayWhyTheyWereRefused) {
  EXPECT_EQ(refusal("/containers/json", 403, "<html>"), "it answers 403 to GET /containers/json");
  EXPECT_EQ(refusal("/_ping", 400, R"({"message":"too old"})"),
            "it answers 400 to GET /_ping: too old");
}

TEST(EngineRequests, FindTheContainerThatTheyRunIn) {
  const std::string id(64, 'a');
  EXPECT_EQ(container_in_mounts("1 2 8:1 / / rw - ext4 /dev/sda1 rw\n"
                                "3 4 8:1 /var/lib/docker/containers/" +
                                id + "/hostname /etc/hostname rw,relatime - ext4 /dev/sda1 rw\n"),
            id);
  EXPECT_EQ(container_in_mounts("3 4 0:25 /containers/storage/overlay-containers/" + id +
                                "/userdata/resolv.conf /etc/resolv.conf rw - tmpfs tmpfs rw"),
            id);
  EXPECT_EQ(container_in_mounts("3 4 8:1 /x/containers/short/hostname /etc/hostname rw"),
            std::nullopt);
  EXPECT_EQ(container_in_mounts("3 4 8:1 /x/containers/" + id + "/data /data rw"), std::nullopt);
  EXPECT_EQ(container_in_mounts(""), std::nullopt);
}

}  // namespace
}  // namespace sidestream::sidecar
