#include "streams/socket_stream_io.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "tests/support/kernel_loop_io.h"

namespace sidestream {
namespace {

// Two ends of one TCP connection over loopback.
class SocketStreams : public ::testing::Test {
 protected:
  void SetUp() override {
    listener_ = loop_.network().listen({IpAddress::v4(0x7f000001), 0}, {});
    auto accepting = loop_.start(listener_->accept());
    near_ = loop_.run(loop_.network().connect(listener_->local_address(), 5s));
    loop_.finish(accepting);
    far_ = std::move(accepting.result());
  }

  Task<std::string> read_all(Stream& stream) {
    std::string text;
    std::array<std::uint8_t, 4096> buffer{};
    for (;;) {
      const std::size_t count = co_await stream.read_some(buffer);
      if (count == 0) co_return text;
      text += text_of(Bytes(buffer).first(count));
    }
  }
  Task<std::string> read_once(Stream& stream) {
    std::array<std::uint8_t, 4096> buffer{};
    const std::size_t count = co_await stream.read_some(buffer);
    co_return std::string(text_of(Bytes(buffer).first(count)));
  }
  void write(Stream& stream, std::string_view text) { loop_.run(stream.write_all(bytes_of(text))); }

  KernelLoop loop_;
  std::unique_ptr<Listener> listener_;
  std::unique_ptr<Stream> near_, far_;
};

TEST_F(SocketStreams, KnowTheirAddresses) {
  EXPECT_EQ(near_->remote_address(), listener_->local_address());
  EXPECT_EQ(far_->local_address(), listener_->local_address());
  EXPECT_EQ(far_->remote_address(), near_->local_address());
  EXPECT_NE(near_->local_address().port, 0);
}

TEST_F(SocketStreams, CarryBytesAndHalfClose) {
  write(*near_, "request");
  loop_.run(near_->close_write());
  loop_.run(near_->close_write());
  EXPECT_EQ(loop_.run(read_all(*far_)), "request");
  write(*far_, "reply after the end of the request");
  loop_.run(far_->close_write());
  EXPECT_EQ(loop_.run(read_all(*near_)), "reply after the end of the request");
}

TEST_F(SocketStreams, WaitReadableReadsNothing) {
  auto waiting = loop_.start(far_->wait_readable());
  loop_.run_for(20ms);
  EXPECT_FALSE(waiting.done());
  write(*near_, "x");
  loop_.finish(waiting);
  loop_.run(far_->wait_readable());
  EXPECT_EQ(loop_.run(read_once(*far_)), "x");
}

TEST_F(SocketStreams, AbortIsAResetAtThePeerAndNotAnEnd) {
  write(*near_, "before");
  EXPECT_EQ(loop_.run(read_once(*far_)), "before");
  auto reading = loop_.start(read_once(*far_));
  auto own_reading = loop_.start(read_once(*near_));
  loop_.run_for(1ms);
  near_->abort();
  near_->abort();
  loop_.finish(reading);
  loop_.finish(own_reading);
  EXPECT_EQ(reading.error(), asio::error::connection_reset);
  EXPECT_EQ(own_reading.error(), asio::error::operation_aborted);
  auto later = loop_.start(near_->write_all(bytes_of("x")));
  loop_.finish(later);
  EXPECT_EQ(later.error(), asio::error::operation_aborted);
}

TEST_F(SocketStreams, DestroyingAStreamInUseIsAReset) {
  near_.reset();
  auto reading = loop_.start(read_once(*far_));
  loop_.finish(reading);
  EXPECT_EQ(reading.error(), asio::error::connection_reset);
}

TEST_F(SocketStreams, DestroyingAStreamWhoseDirectionsEndedIsNoReset) {
  loop_.run(far_->close_write());
  EXPECT_EQ(loop_.run(read_all(*near_)), "");
  write(*near_, "last words");
  loop_.run(near_->close_write());
  near_.reset();
  EXPECT_EQ(loop_.run(read_all(*far_)), "last words");
}

// The kernel reports a reset once: to the write here. A read after it must not look like an end.
TEST_F(SocketStreams, ResetThatTheWriterSawIsNoEndForTheReader) {
  near_->abort();
  error_code seen;
  for (int i = 0; i < 100 && !seen; ++i) {
    auto writing = loop_.start(far_->write_all(bytes_of("x")));
    loop_.finish(writing);
    seen = writing.error();
  }
  EXPECT_EQ(seen, asio::error::connection_reset);
  auto reading = loop_.start(read_once(*far_));
  loop_.finish(reading);
  EXPECT_EQ(reading.error(), asio::error::connection_reset);
}

TEST_F(SocketStreams, WaitBrokenSeesAResetAfterThePeersEnd) {
  loop_.run(near_->close_write());
  EXPECT_EQ(loop_.run(read_all(*far_)), "");
  auto watching = loop_.start(far_->wait_broken());
  loop_.run_for(20ms);
  EXPECT_FALSE(watching.done());
  near_->abort();
  loop_.finish(watching);
  EXPECT_EQ(watching.error(), asio::error::connection_reset);
}

TEST_F(SocketStreams, WaitBrokenIsQuietWhenBothDirectionsHaveEnded) {
  loop_.run(near_->close_write());
  loop_.run(far_->close_write());
  EXPECT_EQ(loop_.run(read_all(*far_)), "");
  auto watching = loop_.start(far_->wait_broken());
  loop_.run_for(20ms);
  EXPECT_FALSE(watching.done());
  far_->abort();
  loop_.finish(watching);
  EXPECT_EQ(watching.error(), asio::error::operation_aborted);
}

TEST_F(SocketStreams, WriteWaitsForTheReaderAndCanBeCancelled) {
  const std::string much(64 << 20, 'x');
  auto writing = loop_.start(near_->write_all(bytes_of(much)));
  loop_.run_for(50ms);
  EXPECT_FALSE(writing.done());
  writing.cancel();
  loop_.finish(writing);
  EXPECT_EQ(writing.error(), asio::error::operation_aborted);
}

TEST_F(SocketStreams, CarryMoreThanTheirBuffersHold) {
  std::string much(20 << 20, 0);
  for (std::size_t i = 0; i < much.size(); ++i) much[i] = static_cast<char>(i * 7 / 5);
  auto writing = loop_.start(near_->write_all(bytes_of(much)));
  auto reading = loop_.start(read_all(*far_));
  loop_.finish(writing);
  loop_.run(near_->close_write());
  loop_.finish(reading);
  EXPECT_TRUE(reading.result() == much);
}

TEST_F(SocketStreams, UrgentByteStaysInLine) {
  auto listener = loop_.network().listen({IpAddress::v4(0x7f000001), 0}, {});
  auto accepting = loop_.start(listener->accept());
  const int raw = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(listener->local_address().port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(::connect(raw, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  loop_.finish(accepting);
  ASSERT_EQ(::send(raw, "ab", 2, MSG_OOB), 2);
  ASSERT_EQ(::shutdown(raw, SHUT_WR), 0);
  EXPECT_EQ(loop_.run(read_all(*accepting.result())), "ab");
  ::close(raw);
}

TEST_F(SocketStreams, OptionsOfAcceptedAndConnectedSockets) {
  const int raw = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  set_tcp_options(raw);
  const auto option = [raw](int level, int name) {
    int value = -1;
    socklen_t length = sizeof value;
    ::getsockopt(raw, level, name, &value, &length);
    return value;
  };
  EXPECT_EQ(option(IPPROTO_TCP, TCP_NODELAY), 1);
  EXPECT_EQ(option(SOL_SOCKET, SO_KEEPALIVE), 1);
  EXPECT_EQ(option(IPPROTO_TCP, TCP_KEEPIDLE), 60);
  EXPECT_EQ(option(IPPROTO_TCP, TCP_KEEPINTVL), 10);
  EXPECT_EQ(option(IPPROTO_TCP, TCP_KEEPCNT), 6);
  ::close(raw);
}

}  // namespace
}  // namespace sidestream
