// Handshake messages cost a hundred times as much as data packets. This bounds how many are worked
// off in a turn, keeps the others, and tells when the device is under load (section 5.3).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>

#include "streams/bytes.h"
#include "streams/ip_address.h"
#include "streams/time.h"
#include "tunnel/wireguard_limits.h"

namespace sidestream::tunnel {

// So many steps in so much time.
class TurnBudget {
 public:
  TurnBudget(std::size_t steps, Duration turn) : steps_(steps), turn_(turn) {}

  // Takes a step; false when this turn has none left.
  bool take(Instant now);
  // Whether take would succeed.
  [[nodiscard]] bool available(Instant now) const { return left_ > 0 || now >= next_turn_; }
  [[nodiscard]] Instant next_turn() const { return next_turn_; }

 private:
  std::size_t steps_;
  Duration turn_;
  std::size_t left_ = 0;
  Instant next_turn_{};
};

class HandshakeQueue {
 public:
  explicit HandshakeQueue(const DeviceLimits& limits);

  struct Waiting {
    SocketAddress from;
    bool cookie_was_good;  // checked under load already
    std::size_t bytes;
    std::array<std::uint8_t, initiation_bytes> storage;

    [[nodiscard]] Bytes message() const { return Bytes(storage).first(bytes); }
  };

  // Whether a message may be worked off now, one turn of work being taken for it.
  bool take_turn(Instant now) { return budget_.take(now); }
  // `message` is an initiation or a response. Dropped when the queue is full.
  void push(Instant now, const SocketAddress& from, Bytes message, bool cookie_was_good);
  [[nodiscard]] bool empty() const { return waiting_.empty(); }
  [[nodiscard]] Waiting& front() { return waiting_.front(); }
  void pop() { waiting_.pop_front(); }

  // When the next message may be worked off; Instant::max() when none waits.
  [[nodiscard]] Instant next_deadline() const {
    return waiting_.empty() ? Instant::max() : budget_.next_turn();
  }
  // The queue is long, or was a moment ago.
  [[nodiscard]] bool under_load(Instant now) const;

 private:
  std::size_t waiting_max_;
  std::size_t under_load_from_;
  TurnBudget budget_;
  std::deque<Waiting> waiting_;
  std::optional<Instant> last_loaded_;
};

}  // namespace sidestream::tunnel
