#include "edge/routers/router_reader.h"

#include <gtest/gtest.h>

#include "edge/edge_configuration.h"
#include "tests/support/configuration_examples.h"

namespace sidestream::edge {
namespace {

// What `router: …` of an edge.yaml gives; `problems` as lines.
struct Read {
  RouterSettings settings;
  std::vector<std::string> problems;
};

Read read(const std::string& router) {
  const ConfigurationText file{"edge.yaml", "endpoint: vps.example.com:51820\nrouter: " + router};
  const ExampleWorld world = example_world();
  const auto configuration = read_edge_configuration(file, world.sources());
  if (!configuration) return {{}, configuration.error().lines()};
  return {configuration->router, {}};
}

std::string problem(const std::string& router) {
  const auto lines = read(router).problems;
  EXPECT_EQ(lines.size(), 1U);
  return lines.empty() ? "" : lines.front();
}

HaproxySettings haproxy(const std::string& router) {
  const Read found = read(router);
  EXPECT_TRUE(found.problems.empty());
  EXPECT_TRUE(std::holds_alternative<HaproxySettings>(found.settings));
  return std::get<HaproxySettings>(found.settings);
}

TEST(RouterReader, AWordHasAllDefaults) {
  EXPECT_EQ(read("embedded").settings, RouterSettings(EmbeddedSettings()));
  EXPECT_EQ(haproxy("haproxy"), HaproxySettings());
  EXPECT_EQ(haproxy("{haproxy: {}}"), HaproxySettings());
  EXPECT_EQ(HaproxySettings().inlet.text(), "127.0.0.1:5150");
}

TEST(RouterReader, ReadsEveryKeyOfHaproxy) {
  const HaproxySettings settings = haproxy(
      "{haproxy: {socket: \"unix:/s/haproxy.sock\", listen: \"0.0.0.0:6000\", from: "
      "[172.18.0.0/16, 192.0.2.1], map: /maps/home.map, server: home/door}}");
  EXPECT_EQ(settings.socket, "/s/haproxy.sock");
  EXPECT_EQ(settings.inlet.listen.text(), "0.0.0.0:6000");
  ASSERT_EQ(settings.inlet.from.size(), 2U);
  EXPECT_EQ(settings.inlet.from[0].text(), "172.18.0.0/16");
  EXPECT_EQ(settings.map, "/maps/home.map");
  EXPECT_EQ(settings.backend, "home");
  EXPECT_EQ(settings.server, "door");
  EXPECT_EQ(haproxy("{haproxy: {listen: \"unix:/run/x.sock\"}}").inlet.text(), "unix:/run/x.sock");
}

TEST(RouterReader, ReadsEveryKeyOfCaddy) {
  const Read word = read("caddy");
  EXPECT_EQ(word.settings, RouterSettings(CaddySettings()));
  const Read found = read(
      "{caddy: {admin: \"192.0.2.1:2020\", listen: \"172.18.0.1:6000\", from: 172.18.0.0/16}}");
  ASSERT_TRUE(std::holds_alternative<CaddySettings>(found.settings));
  const auto settings = std::get<CaddySettings>(found.settings);
  EXPECT_EQ(settings.admin_text(), "192.0.2.1:2020");
  EXPECT_EQ(settings.inlet.listen.text(), "172.18.0.1:6000");
  const Read socket = read("{caddy: {admin: \"unix:/run/caddy.sock\"}}");
  ASSERT_TRUE(std::holds_alternative<CaddySettings>(socket.settings));
  EXPECT_EQ(std::get<CaddySettings>(socket.settings).admin_text(), "unix:/run/caddy.sock");
  EXPECT_EQ(problem("{caddy: {listen: \"0.0.0.0:6000\"}}"),
            "edge.yaml:2:26: router.caddy.listen: Caddy must know where to send streams; write one "
            "address");
}

TEST(RouterReader, ReadsEveryKeyOfNginx) {
  const Read found = read(
      "{nginx: {file: /etc/nginx/home.conf, answers: \"127.0.0.1:7\", reload: watched, listen: "
      "\"unix:/run/x.sock\"}}");
  const auto settings = std::get<NginxSettings>(found.settings);
  EXPECT_EQ(settings.file, "/etc/nginx/home.conf");
  EXPECT_EQ(settings.answers.text(), "127.0.0.1:7");
  EXPECT_EQ(settings.pid_file, "");
  EXPECT_EQ(settings.inlet.text(), "unix:/run/x.sock");
  EXPECT_EQ(std::get<NginxSettings>(read("{nginx: {reload: /nginx.pid}}").settings).pid_file,
            "/nginx.pid");
  EXPECT_EQ(read("nginx").settings, RouterSettings(NginxSettings()));
}

TEST(RouterReader, ReadsEveryKeyOfTraefik) {
  const Read found =
      read("{traefik: {api: \"127.0.0.1:7\", provider: \"127.0.0.1:8\", listen: \"127.0.0.1:9\"}}");
  const auto settings = std::get<TraefikSettings>(found.settings);
  EXPECT_EQ(settings.api.text(), "127.0.0.1:7");
  EXPECT_EQ(settings.provider.text(), "127.0.0.1:8");
  EXPECT_EQ(settings.inlet.text(), "127.0.0.1:9");
  EXPECT_EQ(file_of(read("{traefik: {file: /t/home.yaml}}").settings), "/t/home.yaml");
  EXPECT_EQ(
      problem("{traefik: {file: /t/home.toml}}"),
      "edge.yaml:2:26: router.traefik.file: Traefik reads files that end in .yaml or .yml; name "
      "it so");
  EXPECT_EQ(read("traefik").settings, RouterSettings(TraefikSettings()));
  EXPECT_EQ(
      problem("{traefik: {api: here}}"),
      "edge.yaml:2:25: router.traefik.api: expected ADDRESS:PORT, such as 127.0.0.1:8080, not "
      "\"here\"");
  EXPECT_EQ(problem("{traefik: {listen: \"unix:/x\"}}"),
            "edge.yaml:2:28: router.traefik.listen: Traefik connects to addresses only; write "
            "ADDRESS:PORT");
}

TEST(RouterReader, SaysWhatIsWrongWithNginx) {
  EXPECT_EQ(problem("{nginx: {reload: sometimes}}"),
            "edge.yaml:2:26: router.nginx.reload: expected `watched`, or the path of NGINX's `pid` "
            "file, not \"sometimes\"");
  EXPECT_EQ(problem("{nginx: {answers: 5149}}"),
            "edge.yaml:2:27: router.nginx.answers: expected ADDRESS:PORT, such as 127.0.0.1:5149, "
            "not \"5149\"");
  EXPECT_EQ(problem("{nginx: {listen: \"0.0.0.0:5150\"}}"),
            "edge.yaml:2:26: router.nginx.listen: NGINX must know where to send streams; write one "
            "address");
  EXPECT_EQ(problem("{haproxy: {}, nginx: {}}"),
            "edge.yaml:2:30: router.nginx: an edge has one router; remove one of the two");
}

TEST(RouterReader, SaysWhatIsWrongAndWhatToWrite) {
  EXPECT_EQ(
      problem("haprox"),
      "edge.yaml:2:9: router: expected embedded, haproxy, nginx, traefik or caddy, not \"haprox\" "
      "(did you mean "
      "\"haproxy\"?)");
  EXPECT_EQ(problem("{haproxy: {listen: everywhere}}"),
            "edge.yaml:2:28: router.haproxy.listen: expected ADDRESS:PORT, such as 127.0.0.1:5150, "
            "or unix:/PATH, not \"everywhere\"");
  EXPECT_EQ(problem("{haproxy: {listen: \"[::]:443\"}}"),
            "edge.yaml:2:9: router: port 443 is among public.ports; take another port, or take it "
            "out there");
  EXPECT_EQ(problem("{haproxy: {socket: /run/haproxy/admin.sock}}"),
            "edge.yaml:2:28: router.haproxy.socket: expected unix:/PATH, the `stats socket` of "
            "HAProxy, not \"/run/haproxy/admin.sock\"");
  EXPECT_EQ(problem("{haproxy: {from: everybody}}"),
            "edge.yaml:2:26: router.haproxy.from: expected an address or a network, such as "
            "172.18.0.0/16, not \"everybody\"");
  EXPECT_EQ(problem("{haproxy: {listen: \"unix:/x\", from: 192.0.2.1}}"),
            "edge.yaml:2:45: router.haproxy.from: a Unix socket has no addresses: who may connect "
            "is the matter of its file; remove `from`");
  EXPECT_EQ(problem("{haproxy: {map: home.map}}"),
            "edge.yaml:2:25: router.haproxy.map: expected the path of a file, from the root: "
            "/PATH, not \"home.map\"");
  EXPECT_EQ(problem("{haproxy: {server: edge}}"),
            "edge.yaml:2:28: router.haproxy.server: expected BACKEND/SERVER as HAProxy's "
            "configuration names them, not \"edge\"");
}

TEST(RouterReader, FilesWithoutAPlaceGoIntoTheStateFolder) {
  const auto settings = std::get<HaproxySettings>(with_files_in(HaproxySettings(), "/state"));
  EXPECT_EQ(settings.map, "/state/haproxy.map");
  EXPECT_EQ(file_of(with_files_in(NginxSettings(), "/state")), "/state/nginx.conf");
  EXPECT_EQ(with_files_in(EmbeddedSettings(), "/state"), RouterSettings(EmbeddedSettings()));
}

}  // namespace
}  // namespace sidestream::edge
