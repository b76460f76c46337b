// Where randomness comes from. Cores are given one of these; production passes libsodium's
// generator, tests and simulations a seeded one.
#pragma once

#include <array>
#include <cstdint>

#include "streams/bytes.h"

namespace sidestream {

class RandomSource {
 public:
  virtual ~RandomSource() = default;
  // Fills all of `into`. Never fails: a source that cannot deliver ends the program.
  virtual void fill(MutableBytes into) = 0;

  std::uint32_t u32() { return static_cast<std::uint32_t>(u64()); }
  std::uint64_t u64() {
    std::array<std::uint8_t, 8> bytes{};
    fill(bytes);
    return ByteReader(bytes).u64_le();
  }
  // Uniform in [0, bound); 0 when bound is 0. The bias below 2^-32 does not matter where this is
  // used (jitter, ports); keys take whole bytes.
  std::uint32_t below(std::uint32_t bound) {
    return static_cast<std::uint32_t>((std::uint64_t{u32()} * bound) >> 32U);
  }
};

}  // namespace sidestream
