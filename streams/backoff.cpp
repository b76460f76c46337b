#include "streams/backoff.h"

#include <algorithm>

namespace sidestream {

Duration backoff_delay(unsigned attempt, std::uint32_t random, const BackoffLimits& limits) {
  Duration whole = std::min(limits.first, limits.longest);
  for (unsigned i = 0; i < attempt && whole < limits.longest; ++i)
    whole = whole > limits.longest / 2 ? limits.longest : whole * 2;
  const double part = 0.5 + static_cast<double>(random) * 0x1p-33;
  return Duration(static_cast<Duration::rep>(static_cast<double>(whole.count()) * part));
}

}  // namespace sidestream
