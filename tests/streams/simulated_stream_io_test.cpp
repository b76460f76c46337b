#include "tests/support/simulated_stream_io.h"

#include "tests/streams/simulation_fixture_io.h"

namespace sidestream {
namespace {

Task<std::string> read_all(Stream& stream) {
  std::string text;
  std::array<std::uint8_t, 4096> buffer{};
  for (;;) {
    const std::size_t count = co_await stream.read_some(buffer);
    if (count == 0) co_return text;
    text += text_of(Bytes(buffer).first(count));
  }
}

Task<> send_all(Stream& stream, std::string text) {
  co_await stream.write_all(bytes_of(text));
  co_await stream.close_write();
}

TEST_F(Simulation, ConnectTakesARoundTrip) {
  world_.set_paths(home_, edge_, {.delay = 30ms});
  const Instant start = world_.now();
  auto [near, far] = connect();
  EXPECT_EQ(world_.now() - start, 60ms);
  EXPECT_EQ(near->remote_address().text(), "192.0.2.1:443");
  EXPECT_EQ(far->remote_address().address.text(), "198.51.100.1");
  EXPECT_EQ(far->local_address().text(), "192.0.2.1:443");
}

TEST_F(Simulation, StreamsCarryBytesInOrderAndHalfClose) {
  auto [near, far] = connect();
  std::string much(1'000'000, 0);
  for (std::size_t i = 0; i < much.size(); ++i) much[i] = static_cast<char>(i % 251);
  auto sending = world_.start(send_all(*near, much));
  EXPECT_TRUE(world_.run(read_all(*far)) == much);
  EXPECT_TRUE(sending.done());
  auto answering = world_.start(send_all(*far, "answer"));
  EXPECT_EQ(world_.run(read_all(*near)), "answer");
}

TEST_F(Simulation, WriterWaitsForASlowReader) {
  auto [near, far] = connect();
  auto sending = world_.start(send_all(*near, std::string(10'000'000, 'x')));
  world_.advance(1h);
  EXPECT_FALSE(sending.done());
  EXPECT_LE(world_.counters().stream_bytes_delivered, 256U * 1024);
}

TEST_F(Simulation, AbortIsAReset) {
  auto [near, far] = connect();
  auto reading = world_.start(read_all(*far));
  near->abort();
  world_.advance(1s);
  EXPECT_EQ(reading.error(), asio::error::connection_reset);
  EXPECT_EQ(error_of(near->write_all(bytes_of("x"))), asio::error::operation_aborted);
}

TEST_F(Simulation, NobodyListensIsRefusedAndNobodyThereTimesOut) {
  EXPECT_EQ(error_of(home_.network().connect({ip("192.0.2.1"), 80}, 5s)),
            asio::error::connection_refused);
  EXPECT_EQ(error_of(home_.network().connect({ip("203.0.113.9"), 80}, 5s)), asio::error::timed_out);
  EXPECT_EQ(error_of(edge_.network().connect({ip("192.168.1.10"), 80}, 5s)),
            asio::error::timed_out);
  EXPECT_EQ(error_of(home_.network().connect({ip("2001:db8::1"), 80}, 5s)),
            asio::error::network_unreachable);
}

TEST_F(Simulation, StreamsSurviveAPathThatIsDownForAWhile) {
  auto [near, far] = connect();
  world_.set_up(home_, edge_, false);
  auto sending = world_.start(send_all(*near, "late"));
  auto reading = world_.start(read_all(*far));
  world_.advance(30s);
  EXPECT_FALSE(reading.done());
  world_.set_up(home_, edge_, true);
  world_.advance(10s);
  ASSERT_TRUE(reading.done());
  EXPECT_EQ(reading.result(), "late");
}

TEST_F(Simulation, KilledProgramResetsItsStreams) {
  auto [near, far] = connect();
  auto reading = world_.start(read_all(*near));
  auto own = world_.start(read_all(*far));
  edge_.kill();
  world_.advance(1s);
  EXPECT_EQ(reading.error(), asio::error::connection_reset);
  EXPECT_EQ(own.error(), asio::error::operation_aborted);
  EXPECT_EQ(error_of(home_.network().connect({ip("192.0.2.1"), 443}, 5s)),
            asio::error::connection_refused);
}

TEST_F(Simulation, PowerLossIsNoticedBySilence) {
  auto [near, far] = connect();
  auto reading = world_.start(read_all(*near));
  edge_.lose_power();
  world_.advance(119s);
  EXPECT_FALSE(reading.done());
  world_.advance(2s);
  EXPECT_EQ(reading.error(), asio::error::timed_out);
  EXPECT_EQ(error_of(home_.network().connect({ip("192.0.2.1"), 443}, 5s)), asio::error::timed_out);
}

TEST_F(Simulation, RestartedHostResetsWhatItDoesNotKnow) {
  auto [near, far] = connect();
  edge_.lose_power();
  Network& again = edge_.boot();
  auto reading = world_.start(read_all(*near));
  auto writing = world_.start(near->write_all(bytes_of("anyone?")));
  world_.advance(1s);
  EXPECT_EQ(reading.error(), asio::error::connection_reset);
  const auto listener = again.listen({ip("::"), 443}, {});
  EXPECT_FALSE(error_of(home_.network().connect({ip("192.0.2.1"), 443}, 5s)));
}

TEST_F(Simulation, DeadNetworkRefusesEverything) {
  Network& old = edge_.network();
  edge_.kill();
  EXPECT_EQ(error_of(old.connect({ip("198.51.100.1"), 1}, 5s)), asio::error::network_down);
  EXPECT_THROW(old.listen({ip("::"), 1}, {}), system_error);
  EXPECT_THROW(old.open_udp({ip("::"), 1}), system_error);
}

TEST_F(Simulation, HostsBehindOneRouterSeeEachOther) {
  const auto listener = backend_.network().listen({ip("0.0.0.0"), 22}, {});
  auto accepting = world_.start(listener->accept());
  const auto near = world_.run(home_.network().connect({ip("192.168.1.20"), 22}, 5s));
  EXPECT_EQ(accepting.result()->remote_address().address.text(), "192.168.1.10");
}

TEST_F(Simulation, PortForwardLetsClientsIn) {
  nat_.forward(443, {ip("192.168.1.10"), 8443});
  const auto listener = home_.network().listen({ip("0.0.0.0"), 8443}, {});
  auto accepting = world_.start(listener->accept());
  const auto near = world_.run(edge_.network().connect({ip("198.51.100.1"), 443}, 5s));
  EXPECT_EQ(accepting.result()->local_address().text(), "192.168.1.10:8443");
}

TEST_F(Simulation, LoopbackAndUnixSocketsStayInTheHost) {
  const auto listener = edge_.network().listen({ip("127.0.0.1"), 8000}, {});
  const auto local = world_.run(edge_.network().connect({ip("127.0.0.1"), 8000}, 5s));
  EXPECT_EQ(error_of(home_.network().connect({ip("127.0.0.1"), 8000}, 5s)),
            asio::error::connection_refused);
  const auto unix_listener = edge_.network().listen_unix("/run/admin.sock", 0600);
  EXPECT_FALSE(error_of(edge_.network().connect_unix("/run/admin.sock", 5s)));
  EXPECT_EQ(error_of(home_.network().connect_unix("/run/admin.sock", 5s)),
            boost::system::errc::no_such_file_or_directory);
}

}  // namespace
}  // namespace sidestream
