// Which backend of a service gets the next stream, and which ones come next when it cannot be
// dialled. Backends are known by their place in the configuration.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "sidecar/health.h"
#include "streams/time.h"

namespace sidestream::sidecar {

// Text forms are those of `balance:` in sidecar.yaml.
enum class Balance : std::uint8_t {
  failover,       // the first in the list that is well
  round_robin,    // in turns, by weight
  least_streams,  // the one with the fewest streams for its weight
};
[[nodiscard]] std::string_view text_of(Balance balance);

struct BackendChoiceSettings {
  Balance balance = Balance::failover;
  // One that becomes well again gets a share that grows to its whole weight in this time. Zero: the
  // whole at once. Counts for turns and fewest streams.
  Duration slow_start = 10s;
  bool operator==(const BackendChoiceSettings&) const = default;
};

struct BackendChoiceLimits {
  static constexpr unsigned weight_max = 100;
  // A dial failed: for so long, or until a probe goes well, it is tried after the others.
  Duration set_aside = 5s;
};

class BackendChoice {
 public:
  // A weight of 1 to weight_max for each backend, at least one.
  BackendChoice(const BackendChoiceSettings& settings, const std::vector<unsigned>& weights,
                const BackendChoiceLimits& limits = {});

  // Of a probe, in `state` after it.
  void on_probed(Instant now, std::size_t backend, HealthJudge::State state, bool went_well);
  void on_dial_failed(Instant now, std::size_t backend);
  // A stream counts from the attempt to dial on, so that many at once do not all see it idle.
  void on_stream_began(std::size_t backend) { ++backends_[backend].streams; }
  void on_stream_ended(std::size_t backend) { --backends_[backend].streams; }

  // Those that a new stream tries, one after the other: all that are well or, when none is, all.
  // Moves the turns on.
  [[nodiscard]] std::vector<std::size_t> order(Instant now);
  [[nodiscard]] std::size_t streams(std::size_t backend) const {
    return backends_[backend].streams;
  }

 private:
  struct Backend {
    std::uint64_t weight = 1;
    HealthJudge::State state = HealthJudge::State::unknown;
    std::optional<Instant> slow_since{};
    std::optional<Instant> aside_since{};
    std::size_t streams = 0;
    std::int64_t credit = 0;        // of the turns
    std::uint64_t last_choice = 0;  // of those with equally few streams the one of long ago
  };

  [[nodiscard]] std::uint64_t share(const Backend& backend, Instant now) const;
  [[nodiscard]] bool is_aside(const Backend& backend, Instant now) const;
  void order_by_turns(std::vector<std::size_t>& candidates, Instant now);
  void order_by_streams(std::vector<std::size_t>& candidates, Instant now);

  const BackendChoiceSettings settings_;
  const BackendChoiceLimits limits_;
  std::vector<Backend> backends_;
  std::uint64_t choices_ = 0;
};

}  // namespace sidestream::sidecar
