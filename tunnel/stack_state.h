// What TcpStack is made of.
#pragma once

#include <deque>
#include <map>

#include "tunnel/ip_packet.h"
#include "tunnel/path_mtus.h"
#include "tunnel/tcp_listener.h"
#include "tunnel/tcp_stack.h"
#include "tunnel/time_wait.h"
#include "tunnel/transmit_turns.h"

namespace sidestream::tunnel {

struct TcpStack::State {
  State(const StackConfiguration& configuration, RandomSource& random);

  // ---- in (stack_arrival.cpp)
  void handle_packet(Instant now, Bytes packet);
  void handle_icmp(Instant now, const IpPacket& packet);
  void handle_segment(Instant now, const TcpEnds& ends, const TcpSegment& segment);
  void handle_without_connection(Instant now, const TcpEnds& ends, const TcpSegment& segment,
                                 std::optional<std::uint32_t> sequence_after);
  void accept_syn(Instant now, TcpListener& listener, const TcpEnds& ends,
                  const TcpSegment& segment, std::optional<std::uint32_t> sequence_after);

  // ---- connections (stack_state.cpp)
  std::expected<ConnectionId, TcpError> connect(Instant now, const SocketAddress& remote);
  void stop_listening(std::uint16_t port);
  // Everything that follows from a change of a connection, in one place: backlogs, events, timers,
  // readiness, TIME-WAIT, its end. The entry may be gone afterwards.
  void settle(Instant now, ConnectionEntry& entry);
  void handle_timeout(Instant now);
  void handle_path_restored(Instant now);
  // The host was heard after a silence. Its connections whose window is shut are left alone: their
  // probes are answered.
  void handle_heard_again(Instant now, const IpAddress& remote);
  // To all connections with the hosts whose path MTU has changed.
  void take_path_mtus(Instant now);
  std::size_t poll_transmit(Instant now, MutableBytes buffer);
  std::optional<StackEvent> poll_event();

  [[nodiscard]] TcpConnection::Secrets secrets_for(
      Instant now, const TcpEnds& ends, std::optional<std::uint32_t> sequence_after) const;
  [[nodiscard]] bool is_ours(const IpAddress& address) const;
  void leave_backlog(ConnectionEntry& entry);
  void destroy(ConnectionEntry& entry);

  StackConfiguration configuration;
  RandomSource& random;
  ChunkPool pool;
  ReplyQueue replies;
  TcpSurroundings surroundings;
  KeyedHash sequence_hash;   // RFC 6528
  KeyedHash timestamp_hash;  // RFC 7323 section 5.4
  EndsHash ends_hash;
  PathMtus path_mtus;
  std::deque<PathMtuChange> path_mtu_changes;  // for the user
  TransmitTurns turns;
  ConnectionTable table;
  TimeWait time_wait;
  std::map<std::uint16_t, TcpListener> listeners;
  DeadlineQueue<ConnectionEntry> deadlines;
  IntrusiveList<ConnectionEntry, &ConnectionEntry::event_link> eventful;
  std::function<bool(const TcpEnds&)> is_taken;  // by another stack; may be empty
};

}  // namespace sidestream::tunnel
