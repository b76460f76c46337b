#include "streams/close_io.h"

#include <gtest/gtest.h>

#include "tests/support/memory_stream_io.h"
#include "tests/support/virtual_loop_io.h"

namespace sidestream {
namespace {

class Close : public ::testing::Test {
 protected:
  Close() {
    auto pair = MemoryStream::make_pair();
    peer_ = std::move(pair.left);
    stream_ = std::move(pair.right);
  }
  Pending<void> start() {
    return loop_.start(close_in_order(loop_.timers(), *stream_, {.timeout = 2s, .bytes = 100}));
  }

  VirtualLoop loop_;
  std::unique_ptr<MemoryStream> peer_, stream_;
};

TEST_F(Close, EndsOursAndWaitsForThePeersEnd) {
  stream_->push("alert");
  peer_->push("still talking");
  auto closing = start();
  loop_.settle();
  EXPECT_EQ(peer_->take(), "alert");
  EXPECT_TRUE(peer_->at_end());
  EXPECT_FALSE(closing.done());
  peer_->push_end();
  loop_.settle();
  ASSERT_TRUE(closing.done());
  EXPECT_FALSE(closing.error());
  EXPECT_FALSE(peer_->broken());
}

TEST_F(Close, DoesNotWaitForEver) {
  auto closing = start();
  loop_.advance(1999ms);
  EXPECT_FALSE(closing.done());
  loop_.advance(1ms);
  ASSERT_TRUE(closing.done());
  EXPECT_FALSE(closing.error());
  EXPECT_EQ(peer_->broken(), asio::error::connection_reset);
}

TEST_F(Close, DoesNotReadForEver) {
  auto closing = start();
  for (int i = 0; i < 3; ++i) {
    peer_->push(std::string(50, 'x'));
    loop_.settle();
  }
  ASSERT_TRUE(closing.done());
  EXPECT_EQ(peer_->broken(), asio::error::connection_reset);
}

TEST_F(Close, ResetOfThePeerIsAnEndToo) {
  auto closing = start();
  loop_.settle();
  peer_->abort();
  loop_.settle();
  ASSERT_TRUE(closing.done());
  EXPECT_FALSE(closing.error());
}

TEST_F(Close, CancellationAbortsAndIsThrown) {
  auto closing = start();
  loop_.settle();
  closing.cancel();
  loop_.settle();
  ASSERT_TRUE(closing.done());
  EXPECT_EQ(closing.error(), asio::error::operation_aborted);
  EXPECT_EQ(peer_->broken(), asio::error::connection_reset);
}

}  // namespace
}  // namespace sidestream
