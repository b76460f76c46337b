#include "tailnet/local_api_io.h"

#include <gtest/gtest.h>

#include "tests/tailnet/fake_daemon_io.h"

namespace sidestream::tailnet {
namespace {

constexpr const char* caller = "whois?addr=127.0.0.1%3A4711&proto=tcp";

class LocalApiIoTest : public testing::Test {
 protected:
  LocalApiIoTest() {
    daemon_.answers[caller] = {
        .body =
            R"({"Node":{"StableID":"n1","Name":"a.tn.test."},"UserProfile":{"LoginName":"a@b"}})"};
  }
  std::expected<Identity, std::string> who_is() {
    return world_.run(api_.who_is(*SocketAddress::parse("127.0.0.1:4711")));
  }

  World world_{1};
  SimulatedHost& home_ = world_.add_host("home", {*IpAddress::parse("192.168.1.10")});
  FakeDaemon daemon_{world_, home_, "/tmp/tailscaled.sock"};
  LocalApi api_{home_.network(), {"/run/tailscaled.sock", "/tmp/tailscaled.sock"}};
};

TEST_F(LocalApiIoTest, FindsTheSocketAtTheSecondPlace) {
  daemon_.start();
  EXPECT_EQ(api_.socket(), "/run/tailscaled.sock");
  EXPECT_TRUE(who_is());
  EXPECT_EQ(api_.socket(), "/tmp/tailscaled.sock");
}

// TS-08
TEST_F(LocalApiIoTest, WhoIsAskedAgainWhileNobodyIsKnown) {
  daemon_.start();
  daemon_.not_yet[caller] = 2;
  const Instant before = world_.timers().now();
  const auto identity = who_is();
  ASSERT_TRUE(identity) << identity.error();
  EXPECT_EQ(identity->user, "a@b");
  EXPECT_LT(world_.timers().now() - before, 100ms);
  daemon_.not_yet[caller] = 1000;
  EXPECT_EQ(who_is().error(), "127.0.0.1:4711 is nobody of the tailnet");
  EXPECT_LT(world_.timers().now() - before, 1200ms);
}

TEST_F(LocalApiIoTest, WhoCannotBeAskedIsNobody) {
  EXPECT_TRUE(who_is().error().starts_with("the Tailscale daemon cannot be asked: "));
  daemon_.silent = true;
  daemon_.start();
  EXPECT_TRUE(who_is().error().starts_with("the Tailscale daemon cannot be asked: "));
  daemon_.silent = false;
  daemon_.garbage = true;
  EXPECT_FALSE(who_is());
  daemon_.garbage = false;
  daemon_.answers[caller] = {.status = 403, .body = "whois access denied\n"};
  EXPECT_EQ(who_is().error(), "the Tailscale daemon answers 403 to whois: whois access denied");
  daemon_.answers[caller] = {.body = "{}"};
  EXPECT_FALSE(who_is()) << "an answer that names nobody";
}

TEST_F(LocalApiIoTest, PathsToPeers) {
  daemon_.start();
  daemon_.answers["ping?type=disco&ip=100.64.0.2"] = {
      .body = R"({"LatencySeconds":0.2,"DERPRegionCode":"hs"})"};
  const auto path = world_.run(api_.ping(*IpAddress::parse("100.64.0.2")));
  ASSERT_TRUE(path);
  EXPECT_EQ(path->relay, "hs");
  daemon_.answers["ping?type=disco&ip=100.64.0.2"] = {.body = R"({"Err":"no such peer"})"};
  EXPECT_EQ(world_.run(api_.ping(*IpAddress::parse("100.64.0.2"))).error(), "no such peer");
}

}  // namespace
}  // namespace sidestream::tailnet
