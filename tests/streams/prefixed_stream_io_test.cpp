#include "streams/prefixed_stream_io.h"

#include <gtest/gtest.h>

#include "tests/support/memory_stream_io.h"
#include "tests/support/virtual_loop_io.h"

namespace sidestream {
namespace {

class Prefixed : public ::testing::Test {
 protected:
  Prefixed() {
    auto pair = MemoryStream::make_pair();
    peer_ = std::move(pair.left);
    const Bytes prefix = bytes_of("hello ");
    stream_ = std::make_unique<PrefixedStream>(
        std::vector<std::uint8_t>(prefix.begin(), prefix.end()), std::move(pair.right));
  }
  std::string read(std::size_t bytes_max) {
    std::vector<std::uint8_t> buffer(bytes_max);
    const std::size_t count = loop_.run(stream_->read_some(buffer));
    return std::string(text_of(Bytes(buffer).first(count)));
  }

  VirtualLoop loop_;
  std::unique_ptr<MemoryStream> peer_;
  std::unique_ptr<PrefixedStream> stream_;
};

TEST_F(Prefixed, ReadsThePrefixFirstInAnyPieces) {
  peer_->push("world");
  loop_.run(stream_->wait_readable());
  EXPECT_EQ(read(2), "he");
  EXPECT_EQ(read(100), "llo ");
  EXPECT_EQ(read(100), "world");
}

TEST_F(Prefixed, IsReadableBeforeThePeerSaysAnything) {
  loop_.run(stream_->wait_readable());
  EXPECT_EQ(read(100), "hello ");
  auto waiting = loop_.start(stream_->wait_readable());
  loop_.settle();
  EXPECT_FALSE(waiting.done());
}

TEST_F(Prefixed, EverythingElseIsTheInnerStreams) {
  loop_.run(stream_->write_all(bytes_of("answer")));
  loop_.run(stream_->close_write());
  EXPECT_EQ(peer_->take(), "answer");
  EXPECT_TRUE(peer_->at_end());
  peer_->push_end();
  EXPECT_EQ(read(100), "hello ");
  EXPECT_EQ(read(100), "");
}

TEST_F(Prefixed, AbortIsTheEndOfThePrefixToo) {
  stream_->abort();
  EXPECT_EQ(peer_->broken(), asio::error::connection_reset);
  auto reading = loop_.start(stream_->wait_readable());
  loop_.settle();
  ASSERT_TRUE(reading.done());
  EXPECT_EQ(reading.error(), asio::error::operation_aborted);
}

}  // namespace
}  // namespace sidestream
