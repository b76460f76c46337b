// Bytes that relays carry, counted while they go on.
#pragma once

#include <cstdint>

namespace sidestream {

// Several relays may share one.
struct RelayTraffic {
  std::uint64_t left_to_right_bytes = 0;  // written to the right
  std::uint64_t right_to_left_bytes = 0;
};

}  // namespace sidestream
