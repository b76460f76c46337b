#include "control/control_client_io.h"

#include <gtest/gtest.h>

#include "control/version.h"
#include "tests/support/memory_tunnel_io.h"

namespace sidestream::control {
namespace {

const std::vector<WantedEndpoint> web{{"a.example.com", "web", 20001, priority_default}};

// A runner whose edge is the test: it reads requests from the wire and writes answers by hand.
class ControlClientRunnerTest : public testing::Test {
 protected:
  ControlClientRunnerTest() {
    runner_.on_report([this] { ++reports_; });
    runner_.on_force_handshake([this] { ++handshakes_; });
    runner_.set_wanted(web);
  }

  void start() {
    running_.emplace(loop_.executor(), runner_.run(), [this] { loop_.settle(); });
    loop_.settle();
  }
  MemoryStream& accept() {
    auto pending = loop_.start(listener_.accept());
    loop_.settle();
    EXPECT_TRUE(pending.done());
    stream_ = std::move(pending.result());
    loop_.settle();
    return static_cast<WireStream&>(*stream_).end();
  }
  // The body of the request that has come, whose target must be this.
  std::string request(std::string_view target) {
    std::string text = static_cast<WireStream&>(*stream_).end().take();
    EXPECT_NE(text.find(' ' + std::string(target) + " HTTP/1.1\r\n"), std::string::npos) << text;
    const std::size_t end = text.find("\r\n\r\n");
    return end == std::string::npos ? std::string() : text.substr(end + 4);
  }
  void respond(unsigned status, std::string body) {
    HttpResponse response;
    response.status = status;
    response.body = std::move(body);
    EXPECT_TRUE(static_cast<WireStream&>(*stream_).end().push(serialize(response)));
    loop_.settle();
  }
  void publish() {
    start();
    accept();
    request(session_target);
    respond(200, serialize(SessionAnswer{"s-1", std::chrono::seconds(8), "9"}));
    request(state_target);
    respond(200, granted(1));
  }
  static std::string granted(std::uint64_t revision) {
    return serialize(StateAnswer{revision,
                                 std::chrono::seconds(8),
                                 {{"a.example.com", EndpointState::granted, Reason::none, ""}}});
  }

  VirtualLoop loop_;
  MemoryNetwork network_{loop_};
  MemoryWire wire_;
  IpAddress edge_ = IpAddress::v4({10, 86, 0, 1});
  MemoryTunnel tunnel_{network_, wire_, IpAddress::v4({10, 86, 0, 2})};
  MemoryListener listener_{wire_, {edge_, control_port}};
  ControlClientRunner runner_{network_, tunnel_, edge_};
  std::unique_ptr<Stream> stream_;
  int reports_ = 0;
  int handshakes_ = 0;
  std::optional<Pending<void>> running_;
};

TEST_F(ControlClientRunnerTest, PublishesAndKeepsPublished) {
  start();
  accept();
  const auto opening = parse_session_request(request(session_target));
  ASSERT_TRUE(opening);
  EXPECT_EQ(opening->version, program_version());
  EXPECT_NE(opening->instance, "");
  respond(200, serialize(SessionAnswer{"s-1", std::chrono::seconds(8), "9"}));
  EXPECT_EQ(parse_state_request(request(state_target))->endpoints, web);
  EXPECT_EQ(reports_, 0);
  respond(200, granted(1));
  EXPECT_EQ(reports_, 1);
  EXPECT_EQ(runner_.standing().published, web);
  for (std::uint64_t sequence = 2; sequence < 100; ++sequence) {
    loop_.advance(2500ms);
    // In memory an answer takes no time.
    EXPECT_EQ(parse_heartbeat_request(request(heartbeat_target)),
              (HeartbeatRequest{"s-1", sequence, 1, 0us}));
    respond(200, serialize(HeartbeatAnswer{1, std::chrono::seconds(8), std::nullopt}));
  }
  EXPECT_EQ(handshakes_, 0);
}

TEST_F(ControlClientRunnerTest, BeingAskedInterruptsTheSleep) {
  publish();
  loop_.advance(1s);
  runner_.ask_now();
  loop_.settle();
  EXPECT_EQ(parse_heartbeat_request(request(heartbeat_target)),
            (HeartbeatRequest{"s-1", 2, 1, 0us}));
}

TEST_F(ControlClientRunnerTest, AChangeInterruptsTheSleep) {
  publish();
  loop_.advance(1s);
  runner_.set_wanted({});
  loop_.settle();
  EXPECT_EQ(parse_state_request(request(state_target)), (StateRequest{"s-1", 2, {}}));
}

TEST_F(ControlClientRunnerTest, ADarkTunnelForcesAHandshakeAndComesBack) {
  publish();
  wire_.dark = true;
  loop_.advance(5500ms);
  EXPECT_EQ(handshakes_, 1) << "a heartbeat at 2.5 s and a connection at 4.5 s were not answered";
  EXPECT_FALSE(runner_.standing().reachable);
  loop_.advance(60s);
  EXPECT_EQ(handshakes_, 16) << "every second miss";
  EXPECT_TRUE(runner_.standing().published.empty());
  wire_.dark = false;
  loop_.advance(2500ms);
  accept();
  request(heartbeat_target);
}

TEST_F(ControlClientRunnerTest, ARefusedConnectionIsTriedAgain) {
  listener_.close();
  start();
  EXPECT_TRUE(runner_.standing().no_control) << "and never did";
  EXPECT_EQ(runner_.standing().problem, "");
  loop_.advance(60s);
  EXPECT_GT(reports_, 12);
  EXPECT_LT(reports_, 40);
  EXPECT_EQ(handshakes_, 0) << "it was answered";
}

TEST_F(ControlClientRunnerTest, ABrokenConnectionIsReplaced) {
  publish();
  stream_->abort();
  loop_.advance(2500ms);
  EXPECT_NE(runner_.standing().problem, "");
  loop_.advance(250ms);
  accept();
  request(heartbeat_target);
  respond(200, serialize(HeartbeatAnswer{1, std::chrono::seconds(8), std::nullopt}));
  EXPECT_EQ(runner_.standing().problem, "");
}

TEST_F(ControlClientRunnerTest, StopWithdrawsThenEnds) {
  publish();
  auto stopping = loop_.start(runner_.stop());
  loop_.settle();
  EXPECT_EQ(parse_state_request(request(state_target)), (StateRequest{"s-1", 2, {}}));
  EXPECT_FALSE(stopping.done());
  respond(200, serialize(StateAnswer{2, std::chrono::seconds(8), {}}));
  EXPECT_TRUE(stopping.done());
  EXPECT_TRUE(running_->done());
  EXPECT_FALSE(running_->error());
}

TEST_F(ControlClientRunnerTest, StopIsBoundedWhenTheEdgeIsGone) {
  publish();
  loop_.advance(2400ms);
  wire_.dark = true;
  loop_.advance(100ms);  // a heartbeat is on its way
  auto stopping = loop_.start(runner_.stop());
  loop_.advance(1900ms);
  EXPECT_FALSE(stopping.done());
  loop_.advance(200ms);
  EXPECT_TRUE(stopping.done());
}

TEST_F(ControlClientRunnerTest, StopOfOneThatDoesNotRunReturnsAtOnce) {
  EXPECT_NO_THROW(loop_.run(runner_.stop()));
}

TEST_F(ControlClientRunnerTest, CancellingEndsItInEveryState) {
  for (const Duration time : {0ms, 100ms, 2500ms, 2600ms, 5100ms}) {
    MemoryWire wire;
    MemoryTunnel tunnel(network_, wire, IpAddress::v4({10, 86, 0, 2}));
    MemoryListener listener(wire, {edge_, control_port});
    wire.dark = time == 2600ms;
    ControlClientRunner runner(network_, tunnel, edge_);
    Pending<void> running(loop_.executor(), runner.run(), [this] { loop_.settle(); });
    loop_.advance(time);
    auto stopping = loop_.start(runner.stop());
    running.cancel();
    loop_.settle();
    EXPECT_TRUE(running.done());
    EXPECT_TRUE(stopping.done()) << "whoever waits for the end is told";
  }
}

}  // namespace
}  // namespace sidestream::control
