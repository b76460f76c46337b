#include "streams/relay_io.h"

#include <gtest/gtest.h>

#include "streams/relay_buffers_io.h"
#include "tests/support/memory_stream_io.h"
#include "tests/support/virtual_loop_io.h"

namespace sidestream {
namespace {

// client <-> left === relay === right <-> backend
class RelayTest : public ::testing::Test {
 protected:
  static constexpr std::size_t buffer_bytes = 64 * 1024;

  RelayTest() {
    auto outer = MemoryStream::make_pair({.buffer_bytes = buffer_bytes, .left = {}, .right = {}});
    client_ = std::move(outer.left);
    left_ = std::move(outer.right);
    auto inner = MemoryStream::make_pair({.buffer_bytes = buffer_bytes, .left = {}, .right = {}});
    right_ = std::move(inner.left);
    backend_ = std::move(inner.right);
  }

  Pending<RelaySummary> start(RelayLimits limits = {}) {
    return loop_.start(relay(loop_.timers(), *left_, *right_, limits));
  }

  VirtualLoop loop_;
  std::unique_ptr<MemoryStream> client_, left_, right_, backend_;
};

TEST_F(RelayTest, CarriesBytesBothWaysAndCountsThem) {
  auto relaying = start();
  client_->push("question");
  loop_.settle();
  EXPECT_EQ(backend_->take(), "question");
  backend_->push("the answer");
  loop_.advance(2s);
  EXPECT_EQ(client_->take(), "the answer");
  client_->push_end();
  backend_->push_end();
  loop_.settle();
  ASSERT_TRUE(relaying.done());
  const RelaySummary& summary = relaying.result();
  EXPECT_EQ(summary.end, RelayEnd::both_ended);
  EXPECT_FALSE(summary.error);
  EXPECT_EQ(summary.left_to_right_bytes, 8U);
  EXPECT_EQ(summary.right_to_left_bytes, 10U);
  EXPECT_EQ(summary.duration, 2s);
  EXPECT_TRUE(client_->at_end());
  EXPECT_TRUE(backend_->at_end());
}

TEST_F(RelayTest, CountsBytesWhileItGoesOn) {
  RelayTraffic traffic{.left_to_right_bytes = 100, .right_to_left_bytes = 200};
  auto relaying = loop_.start(relay(loop_.timers(), *left_, *right_, {}, &traffic));
  client_->push("question");
  backend_->push("the answer");
  loop_.settle();
  EXPECT_EQ(traffic.left_to_right_bytes, 108U);
  EXPECT_EQ(traffic.right_to_left_bytes, 210U);
  client_->push_end();
  backend_->push_end();
  loop_.settle();
  ASSERT_TRUE(relaying.done());
  EXPECT_EQ(traffic.left_to_right_bytes, 108U);
}

TEST_F(RelayTest, CarriesTheEndOfTheClientWhileTheBackendGoesOn) {
  auto relaying = start();
  client_->push("request");
  client_->push_end();
  loop_.settle();
  EXPECT_EQ(backend_->take(), "request");
  EXPECT_TRUE(backend_->at_end());
  EXPECT_FALSE(client_->at_end());
  loop_.advance(24h);
  EXPECT_FALSE(relaying.done());
  backend_->push("late reply");
  backend_->push_end();
  loop_.settle();
  EXPECT_EQ(client_->take(), "late reply");
  EXPECT_TRUE(client_->at_end());
  ASSERT_TRUE(relaying.done());
  EXPECT_EQ(relaying.result().end, RelayEnd::both_ended);
}

TEST_F(RelayTest, CarriesTheEndOfTheBackendWhileTheClientGoesOn) {
  auto relaying = start();
  backend_->push("banner");
  backend_->push_end();
  loop_.settle();
  EXPECT_EQ(client_->take(), "banner");
  EXPECT_TRUE(client_->at_end());
  client_->push("an upload");
  loop_.settle();
  EXPECT_EQ(backend_->take(), "an upload");
  EXPECT_FALSE(backend_->at_end());
  client_->push_end();
  loop_.settle();
  EXPECT_TRUE(backend_->at_end());
  ASSERT_TRUE(relaying.done());
  EXPECT_EQ(relaying.result().end, RelayEnd::both_ended);
}

TEST_F(RelayTest, ResetOfTheClientReachesTheBackendAsAReset) {
  auto relaying = start();
  client_->push("half of a messa");
  loop_.settle();
  client_->abort();
  loop_.settle();
  ASSERT_TRUE(relaying.done());
  EXPECT_EQ(relaying.result().end, RelayEnd::left_error);
  EXPECT_EQ(relaying.result().error, asio::error::connection_reset);
  EXPECT_EQ(backend_->take(), "half of a messa");
  EXPECT_FALSE(backend_->at_end());
  EXPECT_EQ(backend_->broken(), asio::error::connection_reset);
}

TEST_F(RelayTest, ResetOfTheBackendReachesTheClientAsAReset) {
  auto relaying = start();
  backend_->abort();
  loop_.settle();
  ASSERT_TRUE(relaying.done());
  EXPECT_EQ(relaying.result().end, RelayEnd::right_error);
  EXPECT_FALSE(client_->at_end());
  EXPECT_EQ(client_->broken(), asio::error::connection_reset);
}

TEST_F(RelayTest, ResetAfterTheEndOfTheSameSideIsStillSeen) {
  auto relaying = start();
  client_->push_end();
  loop_.settle();
  EXPECT_TRUE(backend_->at_end());
  client_->abort();
  loop_.settle();
  ASSERT_TRUE(relaying.done());
  EXPECT_EQ(relaying.result().end, RelayEnd::left_error);
  EXPECT_EQ(backend_->broken(), asio::error::connection_reset);
}

TEST_F(RelayTest, FailureAfterTheOtherDirectionEndedEndsBoth) {
  auto relaying = start();
  client_->push_end();
  loop_.settle();
  right_->fail(asio::error::timed_out);
  loop_.settle();
  ASSERT_TRUE(relaying.done());
  EXPECT_EQ(relaying.result().end, RelayEnd::right_error);
  EXPECT_EQ(relaying.result().error, asio::error::timed_out);
  EXPECT_EQ(client_->broken(), asio::error::connection_reset);
}

TEST_F(RelayTest, SlowReaderHoldsTheWriterBackWithinTheBuffers) {
  auto relaying = start();
  const std::string chunk(16 * 1024, 'x');
  std::size_t pushed = 0;
  for (int round = 0; round < 1000; ++round) {
    if (client_->push(chunk)) pushed += chunk.size();
    loop_.settle();
  }
  // One buffer on each side of the relay and the one that it holds.
  EXPECT_LE(pushed, 3 * buffer_bytes);
  EXPECT_LE(RelayBuffers::of_this_thread().bytes_in_use(), 64U * 1024);
  // The other direction does not care.
  backend_->push("still here");
  loop_.settle();
  EXPECT_EQ(client_->take(), "still here");
  // And nothing is lost when it reads on.
  std::size_t arrived = 0;
  for (int round = 0; round < 100; ++round) {
    arrived += backend_->take().size();
    loop_.settle();
  }
  EXPECT_EQ(arrived, pushed);
}

TEST_F(RelayTest, IdleStreamHoldsNoBuffer) {
  auto relaying = start();
  client_->push("x");
  loop_.settle();
  EXPECT_EQ(backend_->take(), "x");
  EXPECT_EQ(RelayBuffers::of_this_thread().bytes_in_use(), 0U);
}

TEST_F(RelayTest, NeverEndsForIdlenessByDefault) {
  auto relaying = start();
  loop_.advance(24h * 30);
  EXPECT_FALSE(relaying.done());
}

TEST_F(RelayTest, IdleTimeoutCountsFromTheLastByteOfEitherSide) {
  auto relaying = start({.idle_timeout = 10min});
  loop_.advance(9min);
  backend_->push("x");
  loop_.advance(9min);
  client_->push("y");
  loop_.advance(9min + 59s);
  EXPECT_FALSE(relaying.done());
  loop_.advance(1s);
  ASSERT_TRUE(relaying.done());
  EXPECT_EQ(relaying.result().end, RelayEnd::idle);
  EXPECT_EQ(relaying.result().left_to_right_bytes, 1U);
  EXPECT_EQ(client_->broken(), asio::error::connection_reset);
  EXPECT_EQ(backend_->broken(), asio::error::connection_reset);
}

TEST_F(RelayTest, IdleTimeoutDoesNotOutliveTheStreams) {
  auto relaying = start({.idle_timeout = 10min});
  client_->push_end();
  backend_->push_end();
  loop_.settle();
  ASSERT_TRUE(relaying.done());
  EXPECT_EQ(relaying.result().end, RelayEnd::both_ended);
  EXPECT_EQ(loop_.timers().size(), 0U);
}

TEST_F(RelayTest, CancelAbortsBothSidesAndSaysSo) {
  auto relaying = start();
  client_->push("abc");
  loop_.settle();
  relaying.cancel();
  loop_.settle();
  ASSERT_TRUE(relaying.done());
  EXPECT_EQ(relaying.result().end, RelayEnd::cancelled);
  EXPECT_FALSE(relaying.result().error);
  EXPECT_EQ(relaying.result().left_to_right_bytes, 3U);
  EXPECT_EQ(client_->broken(), asio::error::connection_reset);
  EXPECT_EQ(backend_->broken(), asio::error::connection_reset);
}

TEST_F(RelayTest, CancelWhileOneDirectionHasEnded) {
  auto relaying = start();
  client_->push_end();
  loop_.settle();
  relaying.cancel();
  loop_.settle();
  ASSERT_TRUE(relaying.done());
  EXPECT_EQ(relaying.result().end, RelayEnd::cancelled);
}

// Ends in every order, with data behind each end: nothing may get lost, no end may come early.
TEST_F(RelayTest, EveryOrderOfEndsDeliversEverything) {
  const std::string upload(300'000, 'u');
  const std::string download(200'000, 'd');
  for (const bool client_first : {true, false}) {
    auto outer = MemoryStream::make_pair({.buffer_bytes = 1000, .left = {}, .right = {}});
    auto inner = MemoryStream::make_pair({.buffer_bytes = 7, .left = {}, .right = {}});
    auto relaying = loop_.start(relay(loop_.timers(), *outer.right, *inner.left, {}));
    MemoryStream& first = client_first ? *outer.left : *inner.right;
    MemoryStream& second = client_first ? *inner.right : *outer.left;
    auto write_first = loop_.start(first.write_all(bytes_of(upload)));
    std::string received;
    for (int i = 0; i < 200'000 && received.size() < upload.size(); ++i) {
      loop_.settle();
      received += second.take();
    }
    EXPECT_EQ(received, upload);
    ASSERT_TRUE(write_first.done());
    first.push_end();
    loop_.settle();
    EXPECT_TRUE(second.at_end());
    auto write_second = loop_.start(second.write_all(bytes_of(download)));
    received.clear();
    for (int i = 0; i < 200'000 && received.size() < download.size(); ++i) {
      loop_.settle();
      received += first.take();
    }
    EXPECT_EQ(received, download);
    EXPECT_FALSE(first.at_end());
    second.push_end();
    loop_.settle();
    EXPECT_TRUE(first.at_end());
    ASSERT_TRUE(relaying.done());
    EXPECT_EQ(relaying.result().end, RelayEnd::both_ended);
  }
}

TEST(RelayBuffers, ManyAtOnceGetSmallOnes) {
  RelayBuffers pool(
      {.full_bytes = 1000, .full_buffers_max = 2, .small_bytes = 10, .spare_buffers_max = 1});
  {
    const RelayBuffers::Lease a(pool);
    const RelayBuffers::Lease b(pool);
    const RelayBuffers::Lease c(pool);
    EXPECT_EQ(a.bytes().size(), 1000U);
    EXPECT_EQ(b.bytes().size(), 1000U);
    EXPECT_EQ(c.bytes().size(), 10U);
    EXPECT_EQ(pool.bytes_in_use(), 2010U);
  }
  EXPECT_EQ(pool.bytes_in_use(), 0U);
  const RelayBuffers::Lease again(pool);
  EXPECT_EQ(again.bytes().size(), 1000U);
}

}  // namespace
}  // namespace sidestream
