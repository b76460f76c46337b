// Earlier processes of this program that have handed their WireGuard device over to this one and
// still have streams: their packets leave and arrive through our tunnel.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "streams/event_io.h"
#include "streams/message_link_io.h"
#include "streams/task_group_io.h"
#include "tunnel/handed_connections.h"
#include "tunnel/link_messages.h"
#include "tunnel/predecessor_facts.h"

namespace sidestream::tunnel {

// One that is taken over.
struct Predecessor {
  PredecessorFacts facts;
  std::vector<TcpEnds> connections;
  std::unique_ptr<MessageLink> link;
};

struct PredecessorStatus {
  PredecessorFacts facts;
  std::size_t streams = 0;  // as it said last
};

class Predecessors {
 public:
  // `on_packets`: poll_transmit has something. `on_end`: one of them has ended.
  Predecessors(asio::any_io_executor executor, RandomSource& random,
               std::function<void()> on_packets);

  // Before run().
  void adopt(Predecessor predecessor);
  // Listens to all of them until it is cancelled.
  Task<> run();
  void on_end(std::function<void(const PredecessorFacts&)> callback) {
    on_end_ = std::move(callback);
  }

  // ---- packets -----------------------------------------------------------------------------
  // A packet that arrived. True: it is for one of them, and leaves with the next flush(). What
  // there is no room for is dropped, as networks do.
  bool take(Bytes packet);
  void flush();
  // The next packet that one of them sends, into `buffer` (at least a packet long); 0: none.
  std::size_t poll_transmit(MutableBytes buffer);
  [[nodiscard]] bool has(const TcpEnds& ends) const {
    return connections_.owner_of(ends).has_value();
  }

  // ---- what they have to know --------------------------------------------------------------
  void handle_path_restored();
  void handle_peer_lost(const IpAddress& peer);
  void finish();  // all their streams

  // ---- what we know of them, the oldest first; those that have ended are left out -----------
  [[nodiscard]] std::vector<PredecessorStatus> status() const;
  [[nodiscard]] std::size_t streams() const;
  // To hand them on: the descriptor of the link stays ours.
  struct Description {
    PredecessorFacts facts;
    std::vector<TcpEnds> connections;
    int link = -1;
  };
  [[nodiscard]] std::vector<Description> describe() const;
  // While they are being handed on, what they send stays in their links.
  void pause();
  void resume();
  // They are somebody else's from now on. Not while run() runs.
  void let_go() { members_.clear(); }

 private:
  struct Member {
    PredecessorId id{};
    PredecessorFacts facts;
    std::unique_ptr<MessageLink> link;  // none: it has ended
    std::size_t streams = 0;
    std::vector<std::uint8_t> outgoing;  // a message of packets, or empty
    MutableBytes arrived;                // packets of the link's last message
    Event arrived_taken;
    // What could not be said yet.
    std::vector<std::vector<std::uint8_t>> unsaid;
  };

  Task<> listen(Member& member);
  void receive(Member& member);
  void handle_message(Member& member, MutableBytes message);
  void say(Member& member, std::vector<std::uint8_t> message);
  void flush(Member& member);
  std::size_t cut_packet(Member& member, MutableBytes buffer);
  void note_new_connection(const Member& member, Bytes packet);
  [[nodiscard]] Member* find(PredecessorId id) const;

  std::function<void()> on_packets_;
  std::function<void(const PredecessorFacts&)> on_end_;
  HandedConnections connections_;
  std::vector<std::unique_ptr<Member>> members_;
  std::size_t turn_ = 0;  // whose packet is next
  bool paused_ = false;
  Event resumed_;
  TaskGroup tasks_;
};

}  // namespace sidestream::tunnel
