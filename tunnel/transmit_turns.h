// Whose turn it is to send: fair shares for the streams to one peer, and none waits behind the bulk
// of another. Deficit round robin (Shreedhar, Varghese, 1996) in bytes, with what FQ-CoDel (RFC
// 8290 section 4.1) does for flows that are sparse: a stream that has had nothing to send for a
// turn goes before those that have, until it has sent a turn's bytes. Acknowledgments, handshakes
// and what a timer wants to be sent again need no turn.
//
//   ready ── something happened ──▶ sends what needs no turn; text too, while nobody waits or it is
//                                   thin
//   waiting, per peer ────────────▶ the first has its turn; all stop when window or pace, which
//                                   they share, let nothing go
#pragma once

#include <map>
#include <memory>
#include <optional>

#include "tunnel/connection_table.h"
#include "tunnel/deadline_queue.h"
#include "tunnel/macroflow.h"

namespace sidestream::tunnel {

// One host at the other end. Lives while there is a connection to it.
struct StackPeer {
  IpAddress address;
  Instant heard_at;
  IntrusiveList<ConnectionEntry, &ConnectionEntry::peer_link> connections;
  std::unique_ptr<Macroflow> macroflow;  // null: each connection has its own

  // ---- who waits for a turn ----------------------------------------------------------------
  [[nodiscard]] bool anybody_waits() const { return !thin.empty() || !bulk.empty(); }
  [[nodiscard]] ConnectionEntry* first() const {
    return thin.empty() ? bulk.front() : thin.front();
  }
  // Somebody besides the first.
  [[nodiscard]] bool others_wait() const {
    if (!thin.empty()) return thin.after(*thin.front()) != nullptr || !bulk.empty();
    return !bulk.empty() && bulk.after(*bulk.front()) != nullptr;
  }
  void wait(ConnectionEntry& entry, bool is_thin) {
    if (entry.turn_link.linked) return;
    entry.waits_thin = is_thin;
    (is_thin ? thin : bulk).push_back(entry);
  }
  void leave(ConnectionEntry& entry) { (entry.waits_thin ? thin : bulk).remove(entry); }

  // The thin ones go first.
  IntrusiveList<ConnectionEntry, &ConnectionEntry::turn_link> thin;
  IntrusiveList<ConnectionEntry, &ConnectionEntry::turn_link> bulk;
  std::size_t deadline_slot = DeadlineQueue<StackPeer>::none;
  ListLink<StackPeer> open_link;
};

class TransmitTurns {
 public:
  // `congestion` makes what each macroflow has, for segments of `mss` bytes.
  TransmitTurns(MakeCongestionControl congestion, std::size_t mss);

  // ---- what happened --------------------------------------------------------------------------
  // A new connection, before anything else about it.
  void join(Instant now, ConnectionEntry& entry);
  // Something came from it. True after a silence that is long enough for timers to have gone off.
  bool hear_from(Instant now, StackPeer& peer);
  // A connection to it is no more, and out of its list. The peer goes with the last one, after it:
  // a connection tells its macroflow when it goes.
  void release(StackPeer& peer);
  // Null: there is no connection to that host.
  [[nodiscard]] StackPeer* find(const IpAddress& address);
  // It may have something to send, or let others send.
  void on_change(ConnectionEntry& entry);
  // It has nothing more to send, ever. Needed before it goes.
  void on_over(ConnectionEntry& entry);
  void handle_timeout(Instant now);

  // ---- who sends ------------------------------------------------------------------------------
  struct Turn {
    ConnectionEntry* entry;
    SendTurn send;
  };
  // Who is to be polled now; each call is followed by on_polled. None: nothing is due.
  [[nodiscard]] std::optional<Turn> next();
  // What came of it: `bytes` of a packet, 0: nothing.
  void on_polled(const Turn& turn, std::size_t bytes);
  [[nodiscard]] Instant deadline() const { return paced_.earliest(); }

 private:
  void open(StackPeer& peer);
  void end_turn(ConnectionEntry& entry);
  void hold(const Turn& turn, TcpSender::Held held);

  const MakeCongestionControl make_congestion_control_;
  const std::size_t mss_;
  const bool shared_;  // one congestion control for all connections to a peer
  std::map<IpAddress, StackPeer> peers_;
  IntrusiveList<ConnectionEntry, &ConnectionEntry::ready_link> ready_;
  IntrusiveList<StackPeer, &StackPeer::open_link> open_;  // that may have a turn to give
  DeadlineQueue<StackPeer> paced_;
};

}  // namespace sidestream::tunnel
