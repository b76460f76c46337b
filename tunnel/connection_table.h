// Where the connections live: by id, and by their two ends while segments can reach them.
#pragma once

#include <array>
#include <memory>
#include <unordered_map>
#include <vector>

#include "tunnel/deadline_queue.h"
#include "tunnel/intrusive_list.h"
#include "tunnel/keyed_hash.h"
#include "tunnel/tcp_connection.h"

namespace sidestream::tunnel {

struct TcpListener;
struct StackPeer;

// A connection with what the stack knows about it.
struct ConnectionEntry {
  template <typename... Arguments>
  explicit ConnectionEntry(Arguments&&... arguments)
      : connection(std::forward<Arguments>(arguments)...) {}

  TcpConnection connection;
  ConnectionId id{};
  std::uint16_t listener_port = 0;  // passive only
  bool accept_pending = false;      // established, `accepted` not polled yet
  bool reachable = true;            // in the table of ends
  bool released = false;            // by the user
  bool waits_thin = false;          // for its turn: which of the two lists it is in
  TcpListener* listener = nullptr;  // while it is in the listener's backlog
  StackPeer* peer = nullptr;
  std::ptrdiff_t turn_bytes = 0;  // that it may still send in its turn
  std::size_t deadline_slot = DeadlineQueue<ConnectionEntry>::none;
  ListLink<ConnectionEntry> ready_link;
  ListLink<ConnectionEntry> turn_link;
  ListLink<ConnectionEntry> peer_link;
  ListLink<ConnectionEntry> event_link;
  ListLink<ConnectionEntry> backlog_link;
};

// What a hash over two ends is taken of.
class EndsBytes {
 public:
  explicit EndsBytes(const TcpEnds& ends);
  [[nodiscard]] Bytes bytes() const { return Bytes(storage_).first(size_); }

 private:
  std::array<std::uint8_t, 36> storage_{};
  std::size_t size_;
};

struct EndsHash {
  KeyedHash hash;
  std::size_t operator()(const TcpEnds& ends) const { return hash(EndsBytes(ends).bytes()); }
};

class ConnectionTable {
 public:
  explicit ConnectionTable(const EndsHash& hash) : by_ends_(16, hash) {}

  // Gives it an id. Its ends are not in the table.
  ConnectionEntry& add(std::unique_ptr<ConnectionEntry> entry);
  // Segments do not reach it any more.
  void hide(ConnectionEntry& entry);
  void destroy(ConnectionEntry& entry);

  [[nodiscard]] ConnectionEntry* find(ConnectionId id) const;
  [[nodiscard]] ConnectionEntry* find(const TcpEnds& ends) const;
  [[nodiscard]] std::size_t size() const { return size_; }
  // `visit` may destroy the entry that it is called with, and no other one.
  template <typename Visit>
  void for_each(Visit visit) {
    for (std::size_t slot = 0; slot < slots_.size(); ++slot)
      if (slots_[slot].entry) visit(*slots_[slot].entry);
  }

 private:
  // An id is a slot and the turn of its use.
  struct Slot {
    std::unique_ptr<ConnectionEntry> entry;
    std::uint32_t turn = 1;
  };
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_;
  std::unordered_map<TcpEnds, ConnectionEntry*, EndsHash> by_ends_;
  std::size_t size_ = 0;
};

}  // namespace sidestream::tunnel
