#include "tunnel/stack_state.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "tests/support/tcp_transcript.h"

namespace sidestream::tunnel {
namespace {

void open(TcpTranscript& t, std::uint16_t remote_port) {
  t.change_remote_port(remote_port);
  t.push("S seq 0");
  t.expect("SA seq 0 ack 1");
  t.push("A seq 1 ack 1");
  t.expect_event("accepted");
}

// ---- listeners
// ------------------------------------------------------------------------------------

TEST(StackState, ListensOncePerPort) {
  TcpTranscript t;
  t.listen();
  EXPECT_EQ(t.stack().listen(TcpTranscript::local_port).error(), TcpError::address_in_use);
  EXPECT_TRUE(t.stack().listen(81));
  t.stack().stop_listening(81);
  EXPECT_TRUE(t.stack().listen(81));
  t.stack().stop_listening(9999);
}

TEST(StackState, ListensOnABoundedNumberOfPorts) {
  TcpLimits limits;
  limits.listeners_max = 2;
  TcpTranscript t(limits);
  EXPECT_TRUE(t.stack().listen(1));
  EXPECT_TRUE(t.stack().listen(2));
  EXPECT_EQ(t.stack().listen(3).error(), TcpError::too_many);
}

TEST(StackState, AcceptedConnectionsStayWhenTheListenerGoes) {
  TcpTranscript t;
  t.accept();
  t.stack().stop_listening(TcpTranscript::local_port);
  t.push("A seq 1 ack 1 len 10");
  EXPECT_EQ(t.read(100), 10U);
  t.change_remote_port(4001);
  t.push("S seq 0");
  t.expect("RA seq 0 ack 1");
}

TEST(StackState, HalfOpenConnectionsAreResetWhenTheListenerGoes) {
  TcpTranscript t;
  t.listen();
  t.push("S seq 0");
  t.expect("SA seq 0 ack 1");
  t.stack().stop_listening(TcpTranscript::local_port);
  EXPECT_EQ(t.stack().connection_count(), 0U);
  t.push("A seq 1 ack 1");
  t.expect("RA seq 1 ack 1");  // of stop_listening
  t.expect("R seq 1");
}

TEST(StackState, AFloodOfSynsPushesOutItsOwn) {
  TcpLimits limits;
  limits.syn_backlog_max = 3;
  TcpTranscript t(limits);
  t.listen();
  for (std::uint16_t port = 5000; port < 5010; ++port) {
    t.change_remote_port(port);
    t.push("S seq 0");
    t.expect("SA seq 0 ack 1");
  }
  EXPECT_EQ(t.stack().connection_count(), 3U);
  t.push("A seq 1 ack 1");  // the newest gets through
  t.expect_event("accepted");
  EXPECT_EQ(t.stack().connection_count(), 3U);
}

TEST(StackState, AcceptsABoundedNumber) {
  TcpLimits limits;
  limits.connections_max = 3;
  TcpTranscript t(limits);
  t.listen();
  for (std::uint16_t port = 5000; port < 5003; ++port) open(t, port);
  t.change_remote_port(5004);
  t.push("S seq 0");
  t.expect_silence();  // the client will ask again
  EXPECT_EQ(t.stack().connect(t.now(), *SocketAddress::parse("10.0.0.9:1")).error(),
            TcpError::too_many);
  t.release();
  t.next_segment();
  t.push("S seq 0");
  t.expect("SA seq 0 ack 1");
}

// A stack that nobody polls for events.
TEST(StackState, StopsAcceptingWhenNobodyListensToEvents) {
  SeededRandom random(1);
  const IpAddress here = *IpAddress::parse("10.0.0.1");
  const IpAddress there = *IpAddress::parse("10.0.0.2");
  StackConfiguration configuration{.addresses = {here}, .mtu = 1420, .limits = {}};
  configuration.limits.accept_backlog_max = 2;
  TcpStack stack(configuration, random);
  ASSERT_TRUE(stack.listen(80));
  const auto push = [&](TcpSegment segment) {
    std::array<std::uint8_t, 200> packet{};
    segment.destination_port = 80;
    stack.handle_packet(Instant(1s),
                        Bytes(packet).first(write_tcp_packet(packet, there, here, segment, 0)));
    std::array<std::uint8_t, 1500> buffer{};
    std::uint32_t sequence = 0;
    while (const std::size_t bytes = stack.poll_transmit(Instant(1s), buffer)) {
      const auto ip = parse_ip_packet(Bytes(buffer).first(bytes));
      sequence = parse_tcp_segment(ip->payload, here, there)->sequence;
    }
    return sequence;
  };
  for (std::uint16_t port = 1; port <= 5; ++port) {
    TcpSegment syn;
    syn.source_port = port;
    syn.syn = true;
    TcpSegment ack;
    ack.source_port = port;
    ack.ack = true;
    ack.sequence = 1;
    ack.acknowledgment = push(syn) + 1;
    if (port <= 2) push(ack);
  }
  EXPECT_EQ(stack.connection_count(), 2U);
  stack.stop_listening(80);  // those that were not announced go with it
  EXPECT_EQ(stack.connection_count(), 0U);
  EXPECT_FALSE(stack.poll_event());
}

TEST(StackState, TellsOfEventsInTheOrderOfTheirNature) {
  TcpTranscript t;
  t.listen();
  t.push("S seq 0");
  t.expect("SA seq 0");
  t.push("FA seq 1 ack 1 len 10");
  t.expect_event("accepted");
  t.expect_event("readable");
  t.expect_no_event();
}

// ---- connecting
// -----------------------------------------------------------------------------------

TEST(StackState, NeedsAnAddressOfTheFamily) {
  TcpTranscript t;
  EXPECT_EQ(t.stack().connect(t.now(), *SocketAddress::parse("[fd00::9]:1")).error(),
            TcpError::no_route);
}

TEST(StackState, UsesEveryPortOnceAndThenSaysSo) {
  TcpLimits limits;
  limits.ephemeral_port_first = 40'000;
  limits.ephemeral_port_last = 40'200;
  TcpTranscript t(limits);
  const SocketAddress there = *SocketAddress::parse("10.0.0.2:80");
  ASSERT_TRUE(t.stack().listen(40'100));  // a port that a listener has is not taken
  std::set<std::uint16_t> ports;
  for (int i = 0; i < 200; ++i) {
    const auto id = t.stack().connect(t.now(), there);
    ASSERT_TRUE(id);
    EXPECT_TRUE(ports.insert(t.stack().status(*id)->local.port).second);
  }
  EXPECT_FALSE(ports.contains(40'100));
  EXPECT_EQ(t.stack().connect(t.now(), there).error(), TcpError::no_ports);
  // Another destination has all ports to itself.
  EXPECT_TRUE(t.stack().connect(t.now(), *SocketAddress::parse("10.0.0.3:80")));
}

TEST(StackState, UsesAPortInTimeWaitWhenThereIsNoOther) {
  TcpLimits limits;
  limits.ephemeral_port_first = limits.ephemeral_port_last = 40'000;
  TcpTranscript t(limits);
  t.connect();
  t.expect("S seq 0");
  t.push("SA seq 0 ack 1 mss 1000 ts 5:0");
  t.expect("A seq 1 ack 1");
  t.close_write();
  t.expect("FA seq 1");
  t.push("FA seq 1 ack 2 ts 6:0");
  t.expect("A seq 2 ack 2");
  t.release();
  const SocketAddress there = *SocketAddress::parse("10.0.0.2:4000");
  EXPECT_EQ(t.stack().connect(t.now(), there).error(), TcpError::no_ports);
  t.advance(1s);  // timestamps can tell the two apart now (RFC 6191)
  t.connect();
  t.expect("S seq 0");
}

TEST(StackState, SequenceNumbersOfOneConnectionSayNothingOfAnother) {
  TcpTranscript t;  // RFC 6528
  std::set<std::uint32_t> distances;
  std::uint32_t last = 0;
  for (int i = 0; i < 20; ++i) {
    t.connect();
    t.expect("S seq 0");
    distances.insert(t.local_initial() - last);
    last = t.local_initial();
  }
  EXPECT_EQ(distances.size(), 20U);
}

TEST(StackState, TheSameEndsGetGrowingSequenceNumbers) {
  TcpTranscript t;
  t.listen();
  std::uint32_t last = 0;
  for (int i = 0; i < 5; ++i) {
    t.push("S seq 0");
    t.expect("SA seq 0");
    if (i > 0) {
      EXPECT_EQ(t.local_initial() - last, 250'000U);  // a clock of 4 us
    }
    last = t.local_initial();
    t.push("R seq 1");
    t.advance(1s);
  }
}

// ---- turns
// ----------------------------------------------------------------------------------------

TEST(StackState, ConnectionsTakeTurns) {
  TcpTranscript t;
  t.listen();
  std::vector<ConnectionId> ids;
  for (std::uint16_t port = 5000; port < 5002; ++port) {
    open(t, port);
    ids.push_back(t.id());
  }
  std::vector<std::uint8_t> text(5000);
  for (const ConnectionId id : ids) t.stack().write(t.now(), id, text);
  std::vector<std::uint16_t> order;
  std::array<std::uint8_t, 1500> buffer{};
  while (const std::size_t bytes = t.stack().poll_transmit(t.now(), buffer)) {
    const auto ip = parse_ip_packet(Bytes(buffer).first(bytes));
    order.push_back(parse_tcp_segment(ip->payload, ip->source, ip->destination)->destination_port);
  }
  // A run of each, so that runs can be batched.
  ASSERT_EQ(order.size(), 20U);
  EXPECT_EQ(std::ranges::unique(order).begin() - order.begin(), 2);
}

}  // namespace
}  // namespace sidestream::tunnel
