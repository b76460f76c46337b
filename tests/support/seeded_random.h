// A deterministic RandomSource: the same seed gives the same bytes on every machine and compiler.
#pragma once

#include <cstdint>

#include "streams/random.h"

namespace sidestream {

// xoshiro256** (Blackman, Vigna 2018), its state filled from the seed by splitmix64. Not for keys
// that anyone relies on, only for tests and simulations.
class SeededRandom final : public RandomSource {
 public:
  explicit SeededRandom(std::uint64_t seed) {
    for (std::uint64_t& word : state_) word = splitmix(seed);
  }

  void fill(MutableBytes into) override {
    while (!into.empty()) {
      std::uint64_t word = next();
      const std::size_t count = into.size() < 8 ? into.size() : 8;
      for (std::uint8_t& byte : into.first(count)) {
        byte = static_cast<std::uint8_t>(word);
        word >>= 8U;
      }
      into = into.subspan(count);
    }
  }

  // True with this probability (0 never, 1 always).
  bool chance(double probability) {
    return static_cast<double>(u64() >> 11U) * 0x1p-53 < probability;
  }

  // A generator of its own, so that one part drawing more numbers does not change what another
  // part sees.
  SeededRandom split() { return SeededRandom(u64()); }

 private:
  static std::uint64_t splitmix(std::uint64_t& seed) {
    seed += 0x9e3779b97f4a7c15U;
    std::uint64_t word = seed;
    word = (word ^ word >> 30U) * 0xbf58476d1ce4e5b9U;
    word = (word ^ word >> 27U) * 0x94d049bb133111ebU;
    return word ^ word >> 31U;
  }
  static std::uint64_t rotate_left(std::uint64_t word, unsigned count) {
    return word << count | word >> (64U - count);
  }
  std::uint64_t next() {
    const std::uint64_t result = rotate_left(state_[1] * 5, 7) * 9;
    const std::uint64_t shifted = state_[1] << 17U;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = rotate_left(state_[3], 45);
    return result;
  }

  std::array<std::uint64_t, 4> state_{};
};

}  // namespace sidestream
