#include "tunnel/socket_tunnel_io.h"

#include <gtest/gtest.h>

#include <array>

#include "streams/kernel_network_io.h"
#include "tests/support/kernel_loop_io.h"

namespace sidestream::tunnel {
namespace {

IpAddress ip(std::string_view text) {
  return *IpAddress::parse(text);
}

// Two tunnels on the loopback device, where all of 127.0.0.0/8 are addresses of ours.
class SocketTunnelTest : public ::testing::Test {
 protected:
  struct Pair {
    std::unique_ptr<Stream> near;
    std::unique_ptr<Stream> far;
  };
  Pair connect(std::uint16_t port) {
    const auto listener = home_.listen(port);
    auto accepting = loop_.start(listener->accept());
    Pair pair;
    pair.near = loop_.run(edge_.connect(listener->local_address(), 5s));
    loop_.finish(accepting);
    pair.far = std::move(accepting.result());
    return pair;
  }
  error_code error_of(Task<std::unique_ptr<Stream>> task) {
    auto pending = loop_.start(std::move(task));
    loop_.finish(pending);
    return pending.error();
  }

  KernelLoop loop_;
  SocketTunnel edge_{loop_.network(), {ip("127.9.0.1"), "lo", "reno", 2min}};
  SocketTunnel home_{loop_.network(), {ip("127.9.0.2"), "lo", "no such thing", 2min}};
};

TEST_F(SocketTunnelTest, StreamsComeFromTheTunnelAddress) {
  const Pair pair = connect(0);
  EXPECT_EQ(pair.far->remote_address().address, ip("127.9.0.1"));
  EXPECT_EQ(pair.near->remote_address().address, ip("127.9.0.2"));
  std::array<std::uint8_t, 16> buffer{};
  loop_.run(pair.near->write_all(bytes_of("ping")));
  EXPECT_EQ(loop_.run(pair.far->read_some(buffer)), 4U);
  EXPECT_EQ(edge_.stream_count(), 1U);
  EXPECT_EQ(home_.stream_count(), 1U);
}

TEST_F(SocketTunnelTest, StreamsOfAPeerThatWasStartedAgainEndAsReset) {
  const Pair pair = connect(0);
  std::array<std::uint8_t, 16> buffer{};
  home_.end_accepted_streams(ip("127.9.0.3"));
  loop_.run(pair.far->write_all(bytes_of("still there")));
  EXPECT_EQ(loop_.run(pair.near->read_some(buffer)), 11U);
  edge_.end_accepted_streams(ip("127.9.0.2"));  // which dialled nobody
  loop_.run(pair.near->write_all(bytes_of("still there")));
  EXPECT_EQ(loop_.run(pair.far->read_some(buffer)), 11U);
  home_.end_accepted_streams(ip("127.9.0.1"));
  auto reading = loop_.start(pair.near->read_some(buffer));
  loop_.finish(reading);
  EXPECT_EQ(reading.error(), asio::error::connection_reset);
}

TEST_F(SocketTunnelTest, NobodyListensNobodyAnswers) {
  EXPECT_EQ(error_of(edge_.connect({ip("127.9.0.2"), 1}, 5s)), asio::error::connection_refused);
}

TEST_F(SocketTunnelTest, APlaceThatIsNotThereIsAnError) {
  SocketTunnel no_address(loop_.network(), {ip("192.0.2.1"), "", "", {}});
  EXPECT_EQ(error_of(no_address.connect({ip("127.9.0.2"), 1}, 5s)),
            boost::system::errc::address_not_available);
  SocketTunnel no_device(loop_.network(), {ip("127.9.0.1"), "no-such-device", "", {}});
  EXPECT_THROW(no_device.listen(0), system_error);
}

TEST_F(SocketTunnelTest, ADeadStreamIsForgotten) {
  {
    const Pair pair = connect(0);
  }
  EXPECT_EQ(edge_.stream_count() + home_.stream_count(), 0U);
}

}  // namespace
}  // namespace sidestream::tunnel
