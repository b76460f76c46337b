#include "tunnel/handshake_queue.h"

#include <algorithm>

namespace sidestream::tunnel {

bool TurnBudget::take(Instant now) {
  if (now >= next_turn_) {
    next_turn_ = now + turn_;
    left_ = steps_;
  }
  if (left_ == 0) return false;
  --left_;
  return true;
}

HandshakeQueue::HandshakeQueue(const DeviceLimits& limits)
    : waiting_max_(limits.handshake_queue_max),
      under_load_from_(limits.under_load_from),
      budget_(limits.handshakes_per_turn_max, limits.handshake_turn) {}

void HandshakeQueue::push(Instant now, const SocketAddress& from, Bytes message,
                          bool cookie_was_good) {
  if (waiting_.size() < waiting_max_) {
    Waiting& waiting = waiting_.emplace_back(from, cookie_was_good, message.size());
    std::ranges::copy(message, waiting.storage.begin());
  }
  if (waiting_.size() >= under_load_from_) last_loaded_ = now;
}

bool HandshakeQueue::under_load(Instant now) const {
  return waiting_.size() >= under_load_from_ ||
         (last_loaded_ && now - *last_loaded_ < under_load_memory);
}

}  // namespace sidestream::tunnel
