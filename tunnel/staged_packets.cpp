#include "tunnel/staged_packets.h"

namespace sidestream::tunnel {

void StagedPackets::push(Bytes packet) {
  const auto full = [&] {
    return packets_.size() >= packets_max_ ||
           budget_.bytes_used + packet.size() > budget_.bytes_max;
  };
  while (!empty() && full()) pop();
  if (full()) return;
  packets_.emplace_back(packet.begin(), packet.end());
  budget_.bytes_used += packet.size();
}

void StagedPackets::pop() {
  budget_.bytes_used -= packets_.front().size();
  packets_.pop_front();
}

void StagedPackets::clear() {
  while (!empty()) pop();
}

}  // namespace sidestream::tunnel
