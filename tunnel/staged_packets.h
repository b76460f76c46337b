// Packets that wait for a session: a bounded queue for each peer, all of them within one budget of
// bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "streams/bytes.h"

namespace sidestream::tunnel {

// Shared by all peers of a device; outlives their queues.
struct StagedBudget {
  std::size_t bytes_max;
  std::size_t bytes_used = 0;
};

class StagedPackets {
 public:
  StagedPackets(std::size_t packets_max, StagedBudget& budget)
      : packets_max_(packets_max), budget_(budget) {}
  StagedPackets(const StagedPackets&) = delete;
  StagedPackets& operator=(const StagedPackets&) = delete;
  ~StagedPackets() { clear(); }

  // Copies the packet. Makes room by dropping this peer's oldest ones; what does not fit then is
  // dropped itself.
  void push(Bytes packet);
  [[nodiscard]] bool empty() const { return packets_.empty(); }
  [[nodiscard]] std::size_t size() const { return packets_.size(); }
  [[nodiscard]] Bytes front() const { return packets_.front(); }
  void pop();
  void clear();

 private:
  std::size_t packets_max_;
  StagedBudget& budget_;
  std::deque<std::vector<std::uint8_t>> packets_;
};

}  // namespace sidestream::tunnel
