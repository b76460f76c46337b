// What is known of an earlier process of the same program.
#pragma once

#include <cstdint>
#include <string>

namespace sidestream::tunnel {

struct PredecessorFacts {
  std::uint64_t process = 0;  // its number in the system
  std::string version;
  bool operator==(const PredecessorFacts&) const = default;
};

}  // namespace sidestream::tunnel
