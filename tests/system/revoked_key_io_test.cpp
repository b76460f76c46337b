// What a revoked key is still good for, in the hands of somebody who does as he likes with it: one
// answer of one port.
#include "control/http_client_io.h"
#include "tests/system/programs_fixture_io.h"

namespace sidestream {
namespace {

class RevokedKey : public Programs {
 protected:
  RevokedKey() {
    one_.start({{2222, 2222}});
    const control::Ticket ticket = one_.invite("thief", {":2222"});
    victim_.emplace(one_.invite("victim", {":2222"}));
    EXPECT_TRUE(one_->revoke("thief"));
    const sidecar::EdgeEntry entry(ticket);
    tunnel::UserspaceTunnelConfiguration configuration;
    configuration.private_key = entry.private_key;
    configuration.listen = {IpAddress(), 0};
    configuration.address = entry.own_address;
    tunnel_.emplace(home_.boot(), configuration);
    tunnel::PeerConfiguration peer;
    peer.public_key = entry.public_key;
    peer.preshared_key = entry.preshared_key;
    // As much as he wants to send to.
    peer.allowed_ips = {*IpPrefix::parse("10.86.0.0/24")};
    const auto id = tunnel_->add_peer(peer);
    tunnel_->set_endpoint(*id, {ip("192.0.2.1"), tunnel_port});
    running_.emplace(world_, tunnel_->run());
  }
  ~RevokedKey() override { running_.reset(); }

  // `STATUS body` of the control port, or the error of reaching a port.
  std::string ask(std::string method, std::string target, std::string body) {
    std::string said;
    auto asking =
        world_.start(exchange(std::move(method), std::move(target), std::move(body), said));
    EXPECT_TRUE(world_.run_until([&] { return asking.done(); }, 30s));
    return asking.error() ? asking.error().message() : said;
  }
  Task<> exchange(std::string method, std::string target, std::string body, std::string& said) {
    const auto stream = co_await tunnel_->connect({ip("10.86.0.1"), control::control_port}, 5s);
    control::HttpRequest request;
    request.method = std::move(method);
    request.target = std::move(target);
    request.fields = {{"host", "10.86.0.1:5151"}};
    request.body = std::move(body);
    const control::HttpResponse response =
        co_await control::exchange(*stream, std::move(request), {});
    said = std::to_string(response.status) + ' ' +
           std::string(text_of(control::parse_refusal(response.body).refusal)) +
           (response.keep_alive ? "" : ", closed");
  }
  std::string reach(std::string_view address, std::uint16_t port) {
    auto reaching = world_.start(tunnel_->connect({ip(address), port}, 3s));
    EXPECT_TRUE(world_.run_until([&] { return reaching.done(); }, 10s));
    return reaching.error() ? reaching.error().message() : "reached";
  }

  std::optional<control::Ticket> victim_;
  std::optional<tunnel::UserspaceTunnel> tunnel_;
  std::optional<Running> running_;
};

TEST_F(RevokedKey, HearsOneAnswerToWhateverItSays) {
  for (const char* target : {"/v1/session", "/v1/state", "/v1/heartbeat", "/", "/v1/sidecars"})
    for (const char* method : {"GET", "POST", "PUT"})
      EXPECT_EQ(ask(method, target, "{}"), "403 revoked, closed") << method << target;
  EXPECT_TRUE(one_->status().sidecars.at(0).endpoints.empty());
}

TEST_F(RevokedKey, ReachesNoOtherPortAndNobodyElse) {
  SidecarProgram victim(world_, backend_, {*victim_}, ":2222");
  ASSERT_TRUE(world_.run_until([&] { return victim.published(); }, 30s));
  const std::string refused = error_code(asio::error::connection_refused).message();
  for (const std::uint16_t port :
       std::initializer_list<std::uint16_t>{22, 80, 443, 2222, 5150, 5152, 20000})
    EXPECT_EQ(reach("10.86.0.1", port), refused) << port;
  const std::string victim_address = victim_->sidecar_address.text();
  for (const std::uint16_t port : std::initializer_list<std::uint16_t>{443, 20000})
    EXPECT_NE(reach(victim_address, port), "reached") << port;
  EXPECT_FALSE(victim.lines().contains("stream")) << victim.lines();
}

}  // namespace
}  // namespace sidestream
