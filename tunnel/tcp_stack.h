// An IP host with TCP and ICMP echo, in user space, for one point-to-point link: a packet machine
// without device, clock or randomness of its own. RFC 9293 with 1122, 2018, 2883, 5681, 5961,
// 6298, 6528, 6582, 6675, 7323, 9438. IPv4 and IPv6; no fragments, no IP options, no extension
// headers.
//
// The owner runs this loop on one thread: feed packets to handle_packet, call handle_timeout at
// next_deadline, and after anything drain poll_transmit and poll_event.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "streams/bytes.h"
#include "streams/ip_address.h"
#include "streams/random.h"
#include "streams/time.h"
#include "tunnel/congestion_control.h"
#include "tunnel/path_mtus.h"
#include "tunnel/tcp_ends.h"
#include "tunnel/tcp_limits.h"

namespace sidestream::tunnel {

// Names a connection for the life of the stack; never reused.
enum class ConnectionId : std::uint64_t {};

struct StackConfiguration {
  std::vector<IpAddress> addresses;  // ours; packets to others are dropped
  std::size_t mtu = 1420;            // of the link: no packet that leaves is longer
  TcpLimits limits;
  MakeCongestionControl make_congestion_control = nullptr;  // for each connection; null: BBR
};

enum class TcpError {
  none,
  refused,      // RST in answer to our SYN
  reset,        // RST later
  timed_out,    // user timeout, retries or keepalive exhausted
  unreachable,  // ICMP said so before the connection was established
  aborted,      // by us
  no_ports,
  too_many,
  address_in_use,
  no_route,  // we have no address of that family
};

struct StackEvent {
  enum class Kind {
    accepted,   // a listener has a new established connection; it is the receiver's to release
    connected,  // our connect() succeeded
    readable,   // bytes, or the end of the peer's direction, can be read (edge-triggered: sent
                // once until read() has returned 0 bytes and not-end)
    writable,   // write() takes bytes again after it had taken less than offered
    closed,     // nothing more will happen: `error` says how it ended (none: both ends in order)
  };
  Kind kind;
  ConnectionId connection;
  std::uint16_t listener_port = 0;  // accepted only
  TcpError error = TcpError::none;  // closed only
};

struct ConnectionStatus {
  SocketAddress local;
  SocketAddress remote;
  Duration smoothed_rtt{0};
  std::uint64_t sent_bytes = 0;      // payload, first transmissions
  std::uint64_t received_bytes = 0;  // payload, in order
  std::uint64_t retransmitted_segments = 0;
  std::size_t unacknowledged_bytes = 0;
  std::size_t congestion_window_bytes = 0;
};

class TcpStack {
 public:
  // `random` must outlive the stack.
  TcpStack(const StackConfiguration& configuration, RandomSource& random);
  ~TcpStack();
  TcpStack(const TcpStack&) = delete;
  TcpStack& operator=(const TcpStack&) = delete;

  // ---- packets -----------------------------------------------------------------------------
  // One IP packet that arrived. What is wrong in it is dropped, answered as the RFCs say.
  void handle_packet(Instant now, Bytes packet);
  void handle_timeout(Instant now);
  // The path carries again after it did not: what has been waiting longer and longer between its
  // retransmissions is sent again now. Connections that lost nothing are left alone.
  void handle_path_restored(Instant now);

  // ---- path MTU (tunnel/path_mtu_search.h) -------------------------------------------------
  // Finds out anew how large the packets are that reach a host: its path is a new one. It is done
  // unasked when large segments get no answer.
  void search_path_mtu(Instant now, const IpAddress& remote);
  // As far as it is known: at most that of the link.
  [[nodiscard]] std::size_t path_mtu(const IpAddress& remote) const;
  // What was found out since the last call; connections go by it already.
  std::optional<PathMtuChange> poll_path_mtu();

  // Only reads what is stored.
  [[nodiscard]] std::optional<Instant> next_deadline() const;
  // Writes the next IP packet that is due into `buffer` (at least mtu bytes) and returns its
  // length; 0: nothing to send now. Connections take turns; consecutive full segments of one
  // connection come out equally long, so that the caller can batch them.
  std::size_t poll_transmit(Instant now, MutableBytes buffer);
  std::optional<StackEvent> poll_event();

  // ---- connections -------------------------------------------------------------------------
  // Starts to connect from a random free port of our address of that family. `connected` or
  // `closed` follows. What is written before the next poll_transmit goes with the SYN, as far as
  // TcpLimits::syn_text_bytes_max lets it; a peer that does not take it gets it after the
  // handshake.
  std::expected<ConnectionId, TcpError> connect(Instant now, const SocketAddress& remote);
  std::expected<void, TcpError> listen(std::uint16_t port);
  // Connections that were accepted stay; those not yet announced are reset.
  void stop_listening(std::uint16_t port);

  struct ReadResult {
    std::size_t bytes = 0;
    bool end = false;                 // the peer's direction has ended and all of it was read
    TcpError error = TcpError::none;  // set once the connection is broken; unread bytes are lost
  };
  // Never waits.
  ReadResult read(Instant now, ConnectionId connection, MutableBytes into);
  // Whether read() would return bytes, the end or an error now.
  [[nodiscard]] bool readable(ConnectionId connection) const;
  // Takes as much as the send buffer has room for, never waits; 0 when full, broken or closed.
  std::size_t write(Instant now, ConnectionId connection, Bytes from);
  // FIN after what was written.
  void close_write(Instant now, ConnectionId connection);
  // RST now. The id stays valid until release.
  void abort(Instant now, ConnectionId connection);
  // Ends every connection that a listener has or had as if it had been reset: the peer's process is
  // another one now and knows none of them.
  void reset_accepted(Instant now);
  // The same for every connection with a host, or with all (nullopt).
  void reset_all(Instant now, const std::optional<IpAddress>& remote);
  // The caller will not name this connection again. If it is still open it is closed in order
  // when both directions were ended by us or the peer, and aborted otherwise. No event for it
  // follows.
  void release(Instant now, ConnectionId connection);

  [[nodiscard]] std::optional<ConnectionStatus> status(ConnectionId connection) const;
  [[nodiscard]] std::size_t connection_count() const;
  // Of all buffers, against TcpLimits::memory_bytes_max.
  [[nodiscard]] std::size_t buffered_bytes() const;
  // The ends of all connections that segments can reach.
  [[nodiscard]] std::vector<TcpEnds> connections() const;
  // connect() leaves ends alone for which this is true: another stack of the same address has them.
  void avoid(std::function<bool(const TcpEnds&)> is_taken);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace sidestream::tunnel
