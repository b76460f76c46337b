// The random source of the program.
#pragma once

#include "streams/random.h"

namespace sidestream {

// libsodium's generator (getrandom). Any thread may use it.
class SystemRandom final : public RandomSource {
 public:
  SystemRandom();
  void fill(MutableBytes into) override;
};

}  // namespace sidestream
