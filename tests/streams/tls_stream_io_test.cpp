#include "streams/tls_stream_io.h"

#include <gtest/gtest.h>

#include "streams/close_io.h"
#include "streams/relay_io.h"
#include "tests/support/memory_stream_io.h"
#include "tests/support/tls_pair.h"
#include "tests/support/virtual_loop_io.h"

namespace sidestream {
namespace {

Task<std::string> read_all(Stream& stream, std::size_t at_once) {
  std::string text;
  std::vector<std::uint8_t> buffer(at_once);
  for (;;) {
    co_await stream.wait_readable();
    const std::size_t count = co_await stream.read_some(buffer);
    if (count == 0) co_return text;
    text += text_of(Bytes(buffer).first(count));
  }
}

Task<std::string> read_once(Stream& stream) {
  std::vector<std::uint8_t> buffer(64 * 1024);
  const std::size_t count = co_await stream.read_some(buffer);
  co_return std::string(text_of(Bytes(buffer).first(count)));
}

Task<> say_all(Stream& stream, std::string text) {
  co_await stream.write_all(bytes_of(text));
  co_await stream.close_write();
}

// near (a client) <-> wire <-> far (the server's side)
class TlsStreams : public ::testing::Test {
 protected:
  void connect(std::size_t buffer_bytes = 64 * 1024, const std::string& host = TlsPair::host) {
    tls_.begin(host);
    auto pair = MemoryStream::make_pair({.buffer_bytes = buffer_bytes, .left = {}, .right = {}});
    near_wire_ = pair.left.get();
    far_wire_ = pair.right.get();
    near_ = std::make_unique<TlsStream>(std::move(pair.left), std::move(tls_.near));
    far_ = std::make_unique<TlsStream>(std::move(pair.right), std::move(tls_.far));
  }
  void shake_hands() { loop_.run(both(near_->handshake(), far_->handshake())); }

  VirtualLoop loop_;
  TlsPair tls_;
  MemoryStream* near_wire_ = nullptr;
  MemoryStream* far_wire_ = nullptr;
  std::unique_ptr<TlsStream> near_, far_;
};

TEST_F(TlsStreams, CarryBytesBothWaysAtOnceThroughASmallWindow) {
  connect(1000);
  shake_hands();
  std::string text;
  for (int i = 0; i < 50'000; ++i) text += std::to_string(i);
  auto there = loop_.start(say_all(*near_, text));
  auto back = loop_.start(say_all(*far_, text));
  auto heard_there = loop_.start(read_all(*far_, 64 * 1024));
  auto heard_back = loop_.start(read_all(*near_, 999));
  loop_.settle();
  ASSERT_TRUE(there.done() && back.done() && heard_there.done() && heard_back.done());
  EXPECT_EQ(heard_there.result(), text);
  EXPECT_EQ(heard_back.result(), text);
}

TEST_F(TlsStreams, ADirectionEndsWithCloseNotifyAndTheTransportsEnd) {
  connect();
  shake_hands();
  loop_.run(say_all(*near_, "question"));
  EXPECT_EQ(loop_.run(read_all(*far_, 100)), "question");
  loop_.run(say_all(*far_, "answer"));
  EXPECT_EQ(loop_.run(read_all(*near_, 100)), "answer");
  loop_.run(close_in_order(loop_.timers(), far_->transport()));
  loop_.run(close_in_order(loop_.timers(), near_->transport()));
  EXPECT_TRUE(near_wire_->at_end());
  EXPECT_TRUE(far_wire_->at_end());
  EXPECT_FALSE(near_wire_->broken());
}

TEST_F(TlsStreams, ATransportThatEndsIsAnError) {
  connect();
  shake_hands();
  loop_.run(near_->write_all(bytes_of("half a")));
  near_wire_->push_end();
  EXPECT_EQ(loop_.run(read_once(*far_)), "half a");
  auto reading = loop_.start(read_once(*far_));
  loop_.settle();
  ASSERT_TRUE(reading.done());
  EXPECT_EQ(reading.error(), asio::error::connection_aborted);
  EXPECT_EQ(far_->problem(), "it ended without close_notify");
}

TEST_F(TlsStreams, AResetIsAReset) {
  connect();
  shake_hands();
  near_->abort();
  auto reading = loop_.start(read_once(*far_));
  loop_.settle();
  ASSERT_TRUE(reading.done());
  EXPECT_EQ(reading.error(), asio::error::connection_reset);
}

TEST_F(TlsStreams, WaitingCanBeCancelled) {
  connect();
  shake_hands();
  {
    auto waiting = loop_.start(far_->wait_readable());
    loop_.settle();
    EXPECT_FALSE(waiting.done());
  }
  loop_.run(near_->write_all(bytes_of("later")));
  loop_.run(far_->wait_readable());
  EXPECT_EQ(loop_.run(read_once(*far_)), "later");
}

TEST_F(TlsStreams, AnIdleStreamHoldsNoBuffer) {
  const std::size_t before = RelayBuffers::of_this_thread().bytes_in_use();
  connect();
  shake_hands();
  loop_.run(near_->write_all(bytes_of("something")));
  loop_.run(far_->wait_readable());
  EXPECT_EQ(loop_.run(read_once(*far_)), "something");
  auto waiting = loop_.start(far_->wait_readable());
  loop_.settle();
  EXPECT_EQ(RelayBuffers::of_this_thread().bytes_in_use(), before);
}

TEST_F(TlsStreams, ARefusedHandshakeTellsThePeerWhy) {
  connect(64 * 1024, "other.example.com");
  auto server = loop_.start(far_->handshake());
  auto client = loop_.start(near_->handshake());
  loop_.settle();
  ASSERT_TRUE(server.done() && client.done());
  EXPECT_TRUE(client.error());
  EXPECT_TRUE(server.error());
  EXPECT_EQ(near_->problem(), "certificate refused: hostname mismatch");
  EXPECT_EQ(far_->problem(), "sslv3 alert bad certificate");
}

// The way of a stream that is ended at home: client <-> far === relay === backend.
class TlsRelay : public TlsStreams {
 protected:
  TlsRelay() {
    connect();
    shake_hands();
    auto pair = MemoryStream::make_pair();
    right_ = std::move(pair.left);
    backend_ = std::move(pair.right);
  }
  Pending<RelaySummary> start() {
    return loop_.start(relay(loop_.timers(), *far_, *right_, RelayLimits{}));
  }
  std::unique_ptr<MemoryStream> right_, backend_;
};

TEST_F(TlsRelay, CarriesEachEnd) {
  auto relaying = start();
  loop_.run(say_all(*near_, "question"));
  loop_.settle();
  EXPECT_EQ(backend_->take(), "question");
  EXPECT_TRUE(backend_->at_end());
  backend_->push("answer");
  EXPECT_EQ(loop_.run(read_once(*near_)), "answer");
  backend_->push_end();
  EXPECT_EQ(loop_.run(read_all(*near_, 10)), "");
  ASSERT_TRUE(relaying.done());
  EXPECT_EQ(relaying.result().end, RelayEnd::both_ended);
}

TEST_F(TlsRelay, AClientThatWasCutOffIsAResetForTheBackend) {
  auto relaying = start();
  loop_.run(near_->write_all(bytes_of("half a")));
  near_wire_->push_end();
  loop_.settle();
  ASSERT_TRUE(relaying.done());
  EXPECT_EQ(relaying.result().end, RelayEnd::left_error);
  EXPECT_FALSE(backend_->at_end());
  EXPECT_EQ(backend_->broken(), asio::error::connection_reset);
}

TEST_F(TlsRelay, ABackendsResetIsNoEndForTheClient) {
  auto relaying = start();
  backend_->push("half an");
  loop_.settle();
  backend_->abort();
  loop_.settle();
  ASSERT_TRUE(relaying.done());
  EXPECT_EQ(relaying.result().end, RelayEnd::right_error);
  EXPECT_EQ(loop_.run(read_once(*near_)), "half an");
  auto reading = loop_.start(read_once(*near_));
  loop_.settle();
  ASSERT_TRUE(reading.done());
  EXPECT_EQ(reading.error(), asio::error::connection_reset);
}

}  // namespace
}  // namespace sidestream
