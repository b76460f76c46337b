#include "tunnel/tcp_stack.h"

#include <gtest/gtest.h>

#include <map>

#include "tests/support/tcp_pair.h"

namespace sidestream::tunnel {
namespace {

// What the byte at `position` of a stream is.
std::uint8_t pattern(std::uint64_t position) {
  return static_cast<std::uint8_t>((position * 0x9e3779b97f4a7c15U) >> 56U);
}

// One end of a stream that sends `total` bytes, checks all it receives, and closes.
struct Endpoint {
  TcpStack* stack = nullptr;
  ConnectionId id{};
  std::uint64_t total = 0;
  std::uint64_t sent = 0;
  std::uint64_t received = 0;
  bool ended = false;
  bool closed = false;
  TcpError error = TcpError::none;

  void write(Instant now) {
    std::array<std::uint8_t, 5000> piece{};
    while (sent < total) {
      const auto count = std::min<std::uint64_t>(piece.size(), total - sent);
      for (std::size_t i = 0; i < count; ++i) piece[i] = pattern(sent + i);
      const std::size_t taken = stack->write(now, id, Bytes(piece).first(count));
      sent += taken;
      if (taken < count) return;
    }
    stack->close_write(now, id);
  }
  void read(Instant now) {
    std::array<std::uint8_t, 16384> piece{};
    for (;;) {
      const auto result = stack->read(now, id, piece);
      for (std::size_t i = 0; i < result.bytes; ++i)
        ASSERT_EQ(piece[i], pattern(received + i)) << "at " << received + i;
      received += result.bytes;
      ended |= result.end;
      if (result.bytes == 0) return;
    }
  }
};

TEST(TcpStack, MovesBytesBothWays) {
  const LinkQuality line{.bytes_per_second = 12'500'000, .queue_bytes_max = 1000000, .delay = 10ms};
  TcpPair pair({.seed = 1, .upward = line, .downward = line});
  ASSERT_TRUE(pair.server().listen(80));
  Endpoint client{.stack = &pair.client(), .total = 3'000'000};
  Endpoint server{.stack = &pair.server(), .total = 2'000'000};
  client.id = *pair.client().connect(pair.now(), pair.server_at(80));
  const auto on_event = [&](bool at_client, const StackEvent& event) {
    Endpoint& end = at_client ? client : server;
    if (event.kind == StackEvent::Kind::accepted) server.id = event.connection;
    if (event.kind == StackEvent::Kind::accepted || event.kind == StackEvent::Kind::connected ||
        event.kind == StackEvent::Kind::writable)
      end.write(pair.now());
    if (event.kind == StackEvent::Kind::readable) end.read(pair.now());
    if (event.kind == StackEvent::Kind::closed) {
      end.closed = true;
      end.error = event.error;
    }
  };
  EXPECT_TRUE(pair.run(pair.now() + 60s, on_event, [&] { return client.closed && server.closed; }));
  EXPECT_EQ(client.error, TcpError::none);
  EXPECT_EQ(server.error, TcpError::none);
  EXPECT_EQ(client.received, 2'000'000U);
  EXPECT_EQ(server.received, 3'000'000U);
  EXPECT_LT(pair.now() - Instant{}, 2500ms);
  EXPECT_EQ(pair.client().status(client.id)->retransmitted_segments, 0U);
}

}  // namespace
}  // namespace sidestream::tunnel
