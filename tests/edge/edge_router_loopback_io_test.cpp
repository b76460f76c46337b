// The router on real sockets: faults 50, 53, 57 and 60, and many streams that end in every way.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "edge/edge_router_io.h"
#include "streams/join_io.h"
#include "streams/kernel_network_io.h"
#include "streams/proxy_header_parser.h"
#include "tests/support/client_hello_builder.h"
#include "tests/support/kernel_loop_io.h"
#include "tests/support/seeded_random.h"

namespace sidestream::edge {
namespace {

const IpAddress loopback = IpAddress::v4({127, 0, 0, 1});

// A tunnel that is none.
class LoopbackTunnel final : public tunnel::Tunnel {
 public:
  explicit LoopbackTunnel(Network& network) : network_(network) {}
  [[nodiscard]] IpAddress address() const override { return loopback; }
  Task<std::unique_ptr<Stream>> connect(SocketAddress remote, Duration timeout) override {
    return network_.connect(remote, timeout);
  }
  std::unique_ptr<Listener> listen(std::uint16_t port) override {
    return network_.listen({loopback, port}, {});
  }

 private:
  Network& network_;
};

// What a test's sidecar does with a stream whose PROXY header has been read.
using Act = std::function<Task<>(Stream& stream, std::vector<std::uint8_t> payload)>;

std::size_t open_descriptors() {
  return static_cast<std::size_t>(
      std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {}));
}

std::uint16_t free_port(Network& network) {
  return network.listen({loopback, 0}, {})->local_address().port;
}

class EdgeRouterLoopbackTest : public testing::Test {
 public:
  ~EdgeRouterLoopbackTest() override {
    sidecars_listener_->close();
    loop_.run(tasks_.stop());
  }

  Network& network() { return loop_.network(); }

  // A router with `a.test` on one port and a port of its own.
  std::unique_ptr<EdgeRouter> make_router(const RouterLimits& limits = {}) {
    auto router = std::make_unique<EdgeRouter>(
        network(), tunnel_, loopback, limits,
        RouterCallbacks{
            .on_stream_end = [this](const StreamRecord& record) { records_.push_back(record); }});
    const RouteTarget target{.sidecar = "home",
                             .service = "service",
                             .tunnel_address = sidecars_listener_->local_address()};
    const auto name = ServerName::parse("a.test").value();
    const auto kept = ServerName::parse("kept.test").value();
    router->set_routes({{.endpoint = {.name = name, .port = names_port_}, .targets = {target}},
                        {.endpoint = {.name = kept, .port = names_port_}, .targets = {}},
                        {.endpoint = {.name = {}, .port = plain_port_}, .targets = {target}}});
    EXPECT_TRUE(router->open_port(names_port_));
    EXPECT_TRUE(router->open_port(plain_port_));
    return router;
  }

  void start_sidecar(Act act) {
    act_ = std::move(act);
    tasks_.spawn(accept_sidecar_streams(), [](const std::exception_ptr&) {});
  }

  Task<std::unique_ptr<Stream>> client(std::uint16_t port) {
    return network().connect({loopback, port}, 5s);
  }

  Task<> accept_sidecar_streams() {
    for (;;) {
      std::unique_ptr<Stream> stream = co_await sidecars_listener_->accept();
      tasks_.spawn(serve_sidecar_stream(std::move(stream)), [](const std::exception_ptr&) {});
    }
  }
  Task<> serve_sidecar_stream(std::unique_ptr<Stream> stream) {
    ProxyHeaderParser parser;
    std::array<std::uint8_t, 4096> chunk{};
    for (;;) {
      const std::size_t count = co_await stream->read_some(chunk);
      const Bytes bytes = Bytes(chunk).first(count);
      const auto fed = parser.feed(bytes);
      if (fed.verdict == ProxyHeaderParser::Verdict::need_more && count > 0) continue;
      EXPECT_EQ(fed.verdict, ProxyHeaderParser::Verdict::header);
      const Bytes rest = bytes.subspan(fed.consumed);
      std::vector<std::uint8_t> payload(rest.begin(), rest.end());
      co_await act_(*stream, std::move(payload));
      co_return;
    }
  }

  // Everything until the peer's end; what came before a reset counts too.
  static Task<std::string> read_all(Stream& stream) {
    std::string all;
    std::array<std::uint8_t, 16384> chunk{};
    try {
      while (const std::size_t count = co_await stream.read_some(chunk))
        all += sidestream::text_of(Bytes(chunk).first(count));
    } catch (const system_error& failure) {
      all += "(" + failure.code().message() + ")";
    }
    co_return all;
  }

  KernelLoop loop_;
  LoopbackTunnel tunnel_{loop_.network()};
  std::uint16_t names_port_ = free_port(loop_.network());
  std::uint16_t plain_port_ = free_port(loop_.network());
  std::unique_ptr<Listener> sidecars_listener_ = loop_.network().listen({loopback, 0}, {});
  std::vector<StreamRecord> records_;
  Act act_;
  TaskGroup tasks_{loop_.executor()};
};

Task<> say_banner(Stream& stream, std::vector<std::uint8_t>) {
  co_await stream.write_all(bytes_of("220 ready\r\n"));
  co_await stream.close_write();
}

// Fault 50.
TEST_F(EdgeRouterLoopbackTest, TheServersBannerComesAtOnce) {
  start_sidecar(say_banner);
  const auto router = make_router();
  const auto banner = [](EdgeRouterLoopbackTest& test, std::uint16_t port) -> Task<Duration> {
    const Instant begin = test.loop_.timers().now();
    const std::unique_ptr<Stream> client = co_await test.client(port);
    const std::string text = co_await read_all(*client);
    EXPECT_EQ(text, "220 ready\r\n");
    co_return test.loop_.timers().now() - begin;
  };
  Duration shortest = 1h;
  for (int i = 0; i < 5; ++i) shortest = std::min(shortest, loop_.run(banner(*this, plain_port_)));
  EXPECT_LT(shortest, 250ms);  // a machine that is busy, not a wait of ours
  loop_.run(router->stop());
}

// Fault 57: the same bytes whether nobody has the name or its sidecar is away.
TEST_F(EdgeRouterLoopbackTest, UnknownAndAbsentLookTheSame) {
  const auto router = make_router();
  const auto answer = [](EdgeRouterLoopbackTest& test, std::string name) -> Task<std::string> {
    const std::unique_ptr<Stream> client = co_await test.client(test.names_port_);
    const ByteVector hello = client_hello_for(name);
    co_await client->write_all(hello);
    co_return co_await read_all(*client);
  };
  const std::string unknown = loop_.run(answer(*this, "unknown.test"));
  EXPECT_EQ(unknown, std::string("\x15\x03\x03\x00\x02\x02\x70", 7));
  EXPECT_EQ(loop_.run(answer(*this, "kept.test")), unknown);
  loop_.run(router->stop());
}

// Fault 53: silent and slow clients are closed at the deadline, the others do not notice them.
TEST_F(EdgeRouterLoopbackTest, SlowHellosEndAtTheDeadlineAndHarmNobody) {
  start_sidecar(say_banner);
  const std::size_t before = open_descriptors();
  RouterLimits limits;
  limits.opening.hello_time = 1s;
  limits.admission.undecided_per_client_max = 1000;
  const auto router = make_router(limits);
  const auto slow = [](EdgeRouterLoopbackTest& test, int kind) -> Task<Duration> {
    const std::unique_ptr<Stream> client = co_await test.client(test.names_port_);
    const Instant begin = test.loop_.timers().now();
    const ByteVector hello = client_hello_for("a.test");
    if (kind == 1) co_await client->write_all(Bytes(hello).first(hello.size() / 2));
    try {
      for (std::size_t i = 0; kind == 2 && i < 40; ++i) {
        co_await client->write_all(Bytes(hello).subspan(i, 1));
        co_await test.loop_.timers().sleep_for(50ms);
      }
    } catch (const system_error&) {
      // Reset while writing.
    }
    const std::string answer = co_await read_all(*client);
    EXPECT_EQ(answer.find("220"), std::string::npos);
    co_return test.loop_.timers().now() - begin;
  };
  std::list<Pending<Duration>> slow_ones;
  for (int i = 0; i < 300; ++i)
    slow_ones.emplace_back(loop_.executor(), slow(*this, i % 3), [this] { loop_.run_for(2s); });
  const auto good = [](EdgeRouterLoopbackTest& test) -> Task<std::string> {
    const std::unique_ptr<Stream> client = co_await test.client(test.names_port_);
    const ByteVector hello = client_hello_for("a.test");
    co_await client->write_all(hello);
    co_return co_await read_all(*client);
  };
  EXPECT_EQ(loop_.run(good(*this)), "220 ready\r\n");
  for (Pending<Duration>& pending : slow_ones) {
    loop_.finish(pending);
    EXPECT_GE(pending.result(), 900ms);
    EXPECT_LT(pending.result(), 5s);
  }
  slow_ones.clear();
  EXPECT_EQ(router->counters().ended[std::to_underlying(StreamEnd::hello_late)], 300U);
  loop_.run(router->stop());
  loop_.run_for(50ms);
  EXPECT_LE(open_descriptors(), before + 1);  // the sidecar's last stream may still close
}

// Fault 60: what scanners send, to every port.
TEST_F(EdgeRouterLoopbackTest, JunkDoesNoHarm) {
  start_sidecar([](Stream& stream, std::vector<std::uint8_t>) -> Task<> {
    std::array<std::uint8_t, 4096> chunk{};
    while (co_await stream.read_some(chunk) > 0) continue;
    co_await stream.close_write();
  });
  RouterLimits limits;
  limits.opening.hello_time = 200ms;
  limits.farewell.timeout = 200ms;
  const auto router = make_router(limits);
  const auto throw_junk = [](EdgeRouterLoopbackTest& test, std::uint16_t port,
                             std::string junk) -> Task<> {
    const std::unique_ptr<Stream> client = co_await test.client(port);
    try {
      co_await client->write_all(bytes_of(junk));
      co_await client->close_write();
    } catch (const system_error&) {
      // Closed while we wrote.
    }
    co_await read_all(*client);
  };
  SeededRandom random(60);
  std::vector<std::string> probes{"GET / HTTP/1.0\r\n\r\n",
                                  "OPTIONS / RTSP/1.0\r\n\r\n",
                                  "HELP\r\n",
                                  "\r\n\r\n",
                                  "EHLO x\r\n",
                                  "",
                                  std::string("\0\0\0\x08\x04\xd2\x16\x2f", 8),
                                  std::string("\x16\x03\0\0S\x01\0\0O\x03\0?G", 13),
                                  std::string("\x80\x9e\x01\x03\x01", 5)};
  for (int i = 0; i < 60; ++i) {
    std::string bytes(1 + random.below(600), '\0');
    for (char& byte : bytes) byte = static_cast<char>(random.u32());
    if (i % 2 == 0) bytes.replace(0, 3, "\x16\x03\x01");
    probes.push_back(bytes);
  }
  for (const std::string& probe : probes) {
    loop_.run(throw_junk(*this, names_port_, probe));
    loop_.run(throw_junk(*this, plain_port_, probe));
  }
  loop_.run_for(300ms);
  EXPECT_EQ(router->counters().accepted, 2 * probes.size());
  EXPECT_EQ(router->counters().active, 0U);
  for (const StreamRecord& record : records_)
    EXPECT_EQ(is_refusal(record.end), record.port == names_port_);
  loop_.run(router->stop());
}

// ---- many streams ----------------------------------------------------------------------------

constexpr std::size_t stream_bytes = 100'000;

Task<> send_pattern(Stream& stream, std::uint8_t seed) {
  std::vector<std::uint8_t> bytes(stream_bytes);
  for (std::size_t i = 0; i < bytes.size(); ++i)
    bytes[i] = static_cast<std::uint8_t>(seed + i * 7 + i / 251);
  co_await stream.write_all(bytes);
  co_await stream.close_write();
}
Task<> expect_pattern(Stream& stream, std::uint8_t seed, std::vector<std::uint8_t> first) {
  std::vector<std::uint8_t> all = std::move(first);
  std::array<std::uint8_t, 4096> chunk{};
  while (const std::size_t count = co_await stream.read_some(chunk))
    all.insert(all.end(), chunk.begin(), chunk.begin() + static_cast<long>(count));
  EXPECT_EQ(all.size(), stream_bytes);
  bool same = all.size() == stream_bytes;
  for (std::size_t i = 0; same && i < all.size(); ++i)
    same = all[i] == static_cast<std::uint8_t>(seed + i * 7 + i / 251);
  EXPECT_TRUE(same);
}

// Client and sidecar end first in turn, both at once, or one of them resets.
TEST_F(EdgeRouterLoopbackTest, ManyStreamsEndInEveryOrderAndLeaveNothing) {
  constexpr int count = 200;
  const std::size_t before = open_descriptors();
  start_sidecar([](Stream& stream, std::vector<std::uint8_t> payload) -> Task<> {
    while (payload.empty()) {
      payload.resize(4096);
      const std::size_t got = co_await stream.read_some(payload);
      payload.resize(got);
    }
    const std::uint8_t kind = payload.front();  // the first byte of the pattern: its seed
    if (kind % 5 == 3) co_return;               // destroyed with bytes unread: a reset
    if (kind % 5 == 1) {                        // the client ends first
      co_await expect_pattern(stream, kind, std::move(payload));
      co_await send_pattern(stream, kind);
    } else if (kind % 5 == 2) {  // the sidecar ends first
      co_await send_pattern(stream, kind);
      co_await expect_pattern(stream, kind, std::move(payload));
    } else {
      Task<> sending = send_pattern(stream, kind);
      Task<> receiving = expect_pattern(stream, kind, std::move(payload));
      co_await both(std::move(sending), std::move(receiving));
    }
  });
  const auto router = make_router();
  const auto run_client = [](EdgeRouterLoopbackTest& test, int number) -> Task<> {
    const std::unique_ptr<Stream> client = co_await test.client(test.plain_port_);
    const auto kind = static_cast<std::uint8_t>(number);
    try {
      if (kind % 5 == 4) {  // leaves without a word after its first bytes
        co_await client->write_all(Bytes(&kind, 1));
        co_await test.loop_.timers().sleep_for(10ms);
        client->abort();
        co_return;
      }
      if (kind % 5 == 2) {
        co_await client->write_all(Bytes(&kind, 1));  // the first of the pattern
        co_await expect_pattern(*client, kind, {});
        std::vector<std::uint8_t> rest(stream_bytes - 1);
        for (std::size_t i = 0; i < rest.size(); ++i)
          rest[i] = static_cast<std::uint8_t>(kind + (i + 1) * 7 + (i + 1) / 251);
        co_await client->write_all(rest);
        co_await client->close_write();
        co_return;
      }
      Task<> sending = send_pattern(*client, kind);
      Task<> receiving = expect_pattern(*client, kind, {});
      co_await both(std::move(sending), std::move(receiving));
    } catch (const system_error&) {
      EXPECT_EQ(kind % 5, 3);
    }
  };
  std::list<Pending<void>> clients;
  for (int i = 0; i < count; ++i)
    clients.emplace_back(loop_.executor(), run_client(*this, i), [this] { loop_.run_for(2s); });
  for (Pending<void>& pending : clients) {
    loop_.finish(pending);
    EXPECT_FALSE(pending.error());
  }
  clients.clear();
  loop_.run_for(200ms);
  EXPECT_EQ(router->counters().active, 0U);
  EXPECT_EQ(tasks_.size(), 1U);
  EXPECT_EQ(records_.size(), static_cast<std::size_t>(count));
  EXPECT_EQ(router->counters().ended[std::to_underlying(StreamEnd::finished)], 120U);
  loop_.run(router->stop());
  EXPECT_EQ(open_descriptors(), before);
}

}  // namespace
}  // namespace sidestream::edge
