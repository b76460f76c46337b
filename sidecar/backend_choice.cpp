#include "sidecar/backend_choice.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace sidestream::sidecar {
namespace {

// Shares of a weight: one that starts slowly begins with a tenth.
constexpr std::uint64_t whole_share = 1000;
constexpr std::uint64_t first_share = 100;

}  // namespace

std::string_view text_of(Balance balance) {
  switch (balance) {
    case Balance::failover:
      return "failover";
    case Balance::round_robin:
      return "round_robin";
    case Balance::least_streams:
      return "least_streams";
  }
  std::unreachable();
}

BackendChoice::BackendChoice(const BackendChoiceSettings& settings,
                             const std::vector<unsigned>& weights,
                             const BackendChoiceLimits& limits)
    : settings_(settings), limits_(limits) {
  backends_.reserve(weights.size());
  for (const unsigned weight : weights) backends_.push_back({.weight = weight});
}

void BackendChoice::on_probed(Instant now, std::size_t backend, HealthJudge::State state,
                              bool went_well) {
  Backend& one = backends_[backend];
  if (went_well) one.aside_since.reset();
  const HealthJudge::State before = std::exchange(one.state, state);
  if (before == state || state != HealthJudge::State::healthy) return;
  one.credit = 0;
  if (before == HealthJudge::State::unhealthy && settings_.slow_start > Duration::zero())
    one.slow_since = now;
}

void BackendChoice::on_dial_failed(Instant now, std::size_t backend) {
  backends_[backend].aside_since = now;
}

std::vector<std::size_t> BackendChoice::order(Instant now) {
  std::vector<std::size_t> candidates(backends_.size());
  std::iota(candidates.begin(), candidates.end(), std::size_t{0});
  const auto is_well = [&](std::size_t i) {
    return backends_[i].state == HealthJudge::State::healthy;
  };
  if (std::ranges::any_of(candidates, is_well))
    std::erase_if(candidates, [&](std::size_t i) { return !is_well(i); });
  std::vector<std::size_t> aside;
  std::ranges::copy_if(candidates, std::back_inserter(aside),
                       [&](std::size_t i) { return is_aside(backends_[i], now); });
  std::erase_if(candidates, [&](std::size_t i) { return is_aside(backends_[i], now); });

  if (settings_.balance == Balance::round_robin) order_by_turns(candidates, now);
  if (settings_.balance == Balance::least_streams) order_by_streams(candidates, now);
  candidates.insert(candidates.end(), aside.begin(), aside.end());
  return candidates;
}

// Each gets credit by its share, and who is chosen pays for all: the turns of one with a large
// weight are spread among those of the others.
void BackendChoice::order_by_turns(std::vector<std::size_t>& candidates, Instant now) {
  std::int64_t all = 0;
  for (const std::size_t i : candidates) {
    const auto credit = static_cast<std::int64_t>(share(backends_[i], now));
    backends_[i].credit += credit;
    all += credit;
  }
  std::ranges::stable_sort(candidates, [this](std::size_t one, std::size_t other) {
    return backends_[one].credit > backends_[other].credit;
  });
  if (!candidates.empty()) backends_[candidates.front()].credit -= all;
}

void BackendChoice::order_by_streams(std::vector<std::size_t>& candidates, Instant now) {
  std::ranges::stable_sort(candidates, [&](std::size_t one, std::size_t other) {
    const Backend& left = backends_[one];
    const Backend& right = backends_[other];
    // (streams + 1) / share, as each would be with one stream more.
    const std::uint64_t left_load = (left.streams + 1) * share(right, now);
    const std::uint64_t right_load = (right.streams + 1) * share(left, now);
    if (left_load != right_load) return left_load < right_load;
    return left.last_choice < right.last_choice;
  });
  if (!candidates.empty()) backends_[candidates.front()].last_choice = ++choices_;
}

std::uint64_t BackendChoice::share(const Backend& backend, Instant now) const {
  if (!backend.slow_since) return backend.weight * whole_share;
  const Duration passed = now - *backend.slow_since;
  if (passed >= settings_.slow_start) return backend.weight * whole_share;
  const double part = std::max(0.0, std::chrono::duration<double>(passed) /
                                        std::chrono::duration<double>(settings_.slow_start));
  return backend.weight *
         (first_share +
          static_cast<std::uint64_t>(part * static_cast<double>(whole_share - first_share)));
}

bool BackendChoice::is_aside(const Backend& backend, Instant now) const {
  return backend.aside_since && now < *backend.aside_since + limits_.set_aside;
}

}  // namespace sidestream::sidecar
