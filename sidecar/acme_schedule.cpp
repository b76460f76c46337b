#include "sidecar/acme_schedule.h"

#include <algorithm>

namespace sidestream::sidecar {
namespace {

// A random part of `most`.
Duration part_of(Duration most, RandomSource& random) {
  constexpr std::uint32_t steps = 1'000'000;
  return most / steps * random.below(steps);
}

}  // namespace

WallTime renewal_time(WallTime not_before, WallTime not_after, RandomSource& random,
                      const AcmeScheduleLimits& limits) {
  constexpr int jitter_part = 50;
  const Duration life = not_after - not_before;
  const Duration until = life < limits.short_life ? life / 2 : life / 3 * 2;
  return not_before + until + part_of(life / jitter_part, random);
}

WallTime renewal_time(const AcmeRenewalWindow& window, RandomSource& random) {
  return window.start + part_of(window.end - window.start, random);
}

Duration retry_delay(const AcmeFailure& failure, unsigned failures, RandomSource& random,
                     const AcmeScheduleLimits& limits) {
  const bool unreachable = failure.kind == AcmeFailure::Kind::unreachable;
  const Duration most = unreachable ? limits.unreachable_max : limits.refused_max;
  Duration delay = unreachable ? limits.unreachable_first : limits.refused_first;
  for (unsigned i = 1; i < failures && delay < most; ++i) delay *= 2;
  delay = std::min(delay, most);
  constexpr int jitter_part = 4;
  delay += part_of(delay / jitter_part, random);
  return std::max(delay, failure.retry_after.value_or(Duration{}));
}

Duration rest_after(Duration life, const AcmeScheduleLimits& limits) {
  constexpr int life_part = 4;
  return std::clamp(life / life_part, Duration{}, limits.rest);
}

Duration ask_delay(const std::optional<Duration>& retry_after, const AcmeScheduleLimits& limits) {
  return std::clamp(retry_after.value_or(limits.ask_every), limits.ask_every_min,
                    limits.ask_every_max);
}

}  // namespace sidestream::sidecar
