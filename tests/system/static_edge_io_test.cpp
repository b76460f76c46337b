// The sidecar's own router, as an edge uses it that is WireGuard and a router and nothing else.
#include "streams/tls_alert.h"
#include "tests/support/client_hello_builder.h"
#include "tests/system/programs_fixture_io.h"

namespace sidestream {
namespace {

// An edge without sidestream: WireGuard, and a router that sends every name to the sidecar's port
// 443 with a PROXY header.
class StaticEdge : public Programs {
 protected:
  StaticEdge() {
    one_.start({{443, 443}});
    const control::Ticket ticket = one_.invite("home", {"*.test"});
    one_.stop();
    const sidecar::EdgeEntry entry(ticket);
    std::array<std::uint8_t, 32> key{};
    key.fill(0x41);
    tunnel::UserspaceTunnelConfiguration configuration;
    configuration.private_key = tunnel::PrivateKey(key);
    configuration.listen = {ip("192.0.2.1"), tunnel_port};
    configuration.address = ip("10.86.0.1");
    tunnel_.emplace(one_.host().boot(), configuration);
    tunnel::PeerConfiguration peer;
    peer.public_key = entry.own_public_key;
    peer.preshared_key = entry.preshared_key;
    peer.allowed_ips = {IpPrefix(ip("10.86.0.2"), 32)};
    EXPECT_TRUE(tunnel_->add_peer(peer));
    tunnel_run_.emplace(world_, tunnel_->run());
    sidecar_.emplace(world_, home_, std::vector{ticket}, "a.test");
    EXPECT_TRUE(
        world_.run_until([&] { return (*sidecar_)->status().edges[0].tunnel_state == "up"; }, 10s));
  }
  ~StaticEdge() override {
    sidecar_.reset();
    tunnel_run_.reset();
  }

  // What comes back on a stream that begins with this.
  std::string send(const std::vector<std::uint8_t>& bytes) {
    std::string heard;
    auto sending = world_.start(talk(bytes, heard));
    EXPECT_TRUE(world_.run_until([&] { return sending.done(); }, 30s));
    return sending.error() ? sending.error().message() : heard;
  }
  Task<> talk(std::vector<std::uint8_t> bytes, std::string& heard) {
    const auto stream = co_await tunnel_->connect({ip("10.86.0.2"), 443}, 5s);
    co_await stream->write_all(bytes);
    std::array<std::uint8_t, 64> buffer{};
    while (const std::size_t count = co_await stream->read_some(buffer))
      heard += text_of(Bytes(buffer).first(count));
    co_await stream->close_write();
  }
  static std::vector<std::uint8_t> with_header(const std::vector<std::uint8_t>& bytes) {
    return concatenate(serialize_proxy_v2(*SocketAddress::parse("203.0.113.9:5022"),
                                          *SocketAddress::parse("192.0.2.1:443")),
                       bytes);
  }

  std::optional<tunnel::UserspaceTunnel> tunnel_;
  std::optional<Running> tunnel_run_;
  std::optional<SidecarProgram> sidecar_;
};

TEST_F(StaticEdge, ANameFindsItsService) {
  Running greeting(world_, greet_everyone());
  EXPECT_EQ(send(with_header(client_hello_for("a.test"))), "hello");
  world_.advance(1s);
  EXPECT_TRUE(sidecar_->lines().contains("endpoint=a.test client=203.0.113.9:5022"))
      << sidecar_->lines();
}

TEST_F(StaticEdge, NothingToPublishIsHealthy) {
  EXPECT_TRUE(world_.run_until([&] { return (*sidecar_)->health().healthy; }, 10s));
  world_.advance(60s);
  EXPECT_TRUE((*sidecar_)->health().healthy) << (*sidecar_)->health().sentence;
  const control::SidecarStatus status = (*sidecar_)->status();
  EXPECT_EQ(status.edges[0].problem, "");
  EXPECT_EQ(status.edges[0].tunnel_state, "up");
  EXPECT_EQ(status.services[0].endpoints[0].state, control::PublishState::by_name);
  EXPECT_EQ(status.services[0].endpoints[0].reason, "");
  EXPECT_TRUE(sidecar_->lines().contains("edge is a router alone")) << sidecar_->lines();
  EXPECT_FALSE(sidecar_->lines().contains("nothing is published why")) << sidecar_->lines();
  // The backend decides, here as anywhere.
  tunnel_run_.reset();
  EXPECT_TRUE(world_.run_until([&] { return !(*sidecar_)->health().healthy; }, 60s));
}

TEST_F(StaticEdge, AnUnknownNameGetsAnAlertAndALine) {
  const auto alert = serialize_tls_alert(TlsAlert::unrecognized_name);
  EXPECT_EQ(send(with_header(client_hello_for("b.test"))), text_of(Bytes(alert)));
  EXPECT_TRUE(
      sidecar_->lines().contains("stream refused edge=one.test:51820 "
                                 "client=203.0.113.9:5022 why=\"no service for b.test\""))
      << sidecar_->lines();
  EXPECT_EQ(send(with_header(client_hello_for(std::nullopt))), text_of(Bytes(alert)));
}

TEST_F(StaticEdge, WithoutHeaderOrHelloThereIsAResetAndALine) {
  const std::string reset = error_code(asio::error::connection_reset).message();
  EXPECT_EQ(send(client_hello_for("a.test")), reset);
  EXPECT_TRUE(sidecar_->lines().contains("HAProxy: send-proxy-v2")) << sidecar_->lines();
  world_.advance(2s);
  EXPECT_EQ(send(with_header({'S', 'S', 'H'})), reset);
  EXPECT_TRUE(sidecar_->lines().contains("no ClientHello")) << sidecar_->lines();
}

// A health check as HAProxy makes it opens no backend and is nothing to tell.
TEST_F(StaticEdge, HealthChecksAreQuiet) {
  const auto local = serialize_proxy_v2_local();
  for (int i = 0; i < 5; ++i) EXPECT_EQ(send({local.begin(), local.end()}), "");
  EXPECT_FALSE(sidecar_->lines().contains("stream refused")) << sidecar_->lines();
}

}  // namespace
}  // namespace sidestream
