// Which counters of a session have been received (section 5.4.6), as a sliding window of bits
// (RFC 6479).
#pragma once

#include <array>
#include <cstdint>

#include "tunnel/wireguard_limits.h"

namespace sidestream::tunnel {

class ReplayWindow {
 public:
  // To be asked only after the packet authenticated. True the first time for each counter that is
  // below `reject_from` and at most replay_window_size behind the highest one accepted.
  bool accept(std::uint64_t counter, std::uint64_t reject_from = reject_after_messages);

 private:
  static constexpr std::uint64_t bits_per_word = 64;
  static constexpr std::uint64_t words = replay_window_size / bits_per_word + 1;

  std::array<std::uint64_t, words> seen_{};
  std::uint64_t highest_ = 0;  // 0 also before the first one; no bit is set then
};

}  // namespace sidestream::tunnel
