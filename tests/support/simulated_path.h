// What can happen to a datagram between two places of the simulated internet, decided by a seed.
#pragma once

#include <algorithm>
#include <cstdint>

#include "streams/time.h"
#include "tests/support/seeded_random.h"

namespace sidestream {

// One direction. Streams (the kernel's TCP) know only delay and up: their bytes are never lost.
struct PathConditions {
  Duration delay = 10ms;
  Duration jitter{};  // up to so much is added, without changing the order
  double loss = 0;    // these are probabilities, for each datagram
  double duplicate = 0;
  double reorder = 0;  // it is overtaken by those that follow within reorder_by
  Duration reorder_by = 20ms;
  std::uint64_t bytes_per_second = 0;    // 0: no limit
  std::size_t queue_bytes = 128 * 1024;  // what may wait in front of that limit
  bool up = true;
};

class SimulatedPath {
 public:
  SimulatedPath(const PathConditions& conditions, const SeededRandom& random)
      : conditions_(conditions), random_(random) {}

  [[nodiscard]] PathConditions& conditions() { return conditions_; }

  // When the copies of a datagram that is sent now arrive: none, one or two times.
  struct Arrivals {
    std::size_t count = 0;
    Instant at[2];
  };
  Arrivals send(Instant now, std::size_t bytes) {
    Arrivals arrivals;
    const PathConditions& path = conditions_;
    if (!path.up) return arrivals;
    Instant sent = now;
    if (path.bytes_per_second > 0) {
      const auto time_for = [&path](std::size_t size) {
        return Duration(static_cast<Duration::rep>(static_cast<double>(size) * 1e9 /
                                                   static_cast<double>(path.bytes_per_second)));
      };
      if (free_at_ > now && free_at_ - now > time_for(path.queue_bytes)) return arrivals;
      free_at_ = std::max(free_at_, now) + time_for(bytes);
      sent = free_at_;
    }
    if (path.loss > 0 && random_.chance(path.loss)) return arrivals;
    const bool overtaken = path.reorder > 0 && random_.chance(path.reorder);
    Instant arrival = sent + path.delay + random_up_to(path.jitter);
    if (overtaken) {
      arrival += random_up_to(path.reorder_by);
    } else {
      arrival = last_arrival_ = std::max(arrival, last_arrival_);
    }
    arrivals.at[arrivals.count++] = arrival;
    if (path.duplicate > 0 && random_.chance(path.duplicate))
      arrivals.at[arrivals.count++] = arrival + random_up_to(path.reorder_by);
    return arrivals;
  }

 private:
  Duration random_up_to(Duration longest) {
    if (longest <= Duration::zero()) return {};
    return Duration(
        static_cast<Duration::rep>(random_.u64() % static_cast<std::uint64_t>(longest.count())));
  }

  PathConditions conditions_;
  SeededRandom random_;
  Instant free_at_;
  Instant last_arrival_;
};

}  // namespace sidestream
