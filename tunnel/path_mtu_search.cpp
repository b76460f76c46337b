#include "tunnel/path_mtu_search.h"

#include <algorithm>

namespace sidestream::tunnel {
namespace {

// WireGuard pads to it, so nothing between two steps makes a difference.
constexpr std::size_t step_bytes = 16;
// Paths of less are rare.
constexpr std::size_t fine_from = 1200;
constexpr std::size_t fine_to = 1504;
constexpr std::size_t coarse_step_bytes = 128;
constexpr std::size_t jumbo_step_bytes = 512;

constexpr unsigned rounds_max = 3;
constexpr Duration round_max = 1s;
// What is sent before the smallest and comes later than this behind its answer was lost.
constexpr Duration disorder_max = 100ms;
constexpr Duration doubt_interval_min = 2s;

constexpr unsigned index_bits = 6;
constexpr std::size_t sizes_max = 1U << index_bits;

std::size_t step_below(std::size_t size) {
  if (size > fine_to) return jumbo_step_bytes;
  return size > fine_from ? step_bytes : coarse_step_bytes;
}

std::vector<std::uint16_t> sizes_between(std::size_t mtu_min, std::size_t mtu_max) {
  std::vector<std::uint16_t> sizes;
  sizes.reserve(sizes_max);
  sizes.push_back(static_cast<std::uint16_t>(mtu_max));
  for (std::size_t size = mtu_max; sizes.size() + 1 < sizes_max;) {
    const std::size_t step = step_below(size);
    size = (size - 1) / step * step;
    if (size <= mtu_min) break;
    sizes.push_back(static_cast<std::uint16_t>(size));
  }
  if (mtu_min < mtu_max) sizes.push_back(static_cast<std::uint16_t>(mtu_min));
  sizes.shrink_to_fit();
  return sizes;
}

}  // namespace

PathMtuSearch::PathMtuSearch(std::size_t mtu_min, std::size_t mtu_max)
    : sizes_(sizes_between(mtu_min, mtu_max)), mtu_(mtu_max) {}

void PathMtuSearch::start(Instant now) {
  if (on_ || sizes_.size() < 2) return;
  on_ = true;
  round_ = 0;
  ++search_;
  best_.reset();
  begin_round(now, false);
}

void PathMtuSearch::doubt(Instant now) {
  if (!finished_at_ || now - *finished_at_ >= doubt_interval_min) start(now);
}

void PathMtuSearch::begin_round(Instant now, bool ladder) {
  round_ = ladder == ladder_ ? round_ + 1 : 1;
  ladder_ = ladder;
  next_ = 0;
  deadline_ = now + round_max;
}

std::optional<PathMtuSearch::Probe> PathMtuSearch::poll_probe() {
  if (!on_ || next_ == sizes_.size()) return std::nullopt;
  const std::size_t index = next_;
  next_ = ladder_ || index + 1 == sizes_.size() ? index + 1 : sizes_.size() - 1;
  return Probe{.number = static_cast<std::uint16_t>((std::size_t{search_} << index_bits) | index),
               .packet_bytes = sizes_[index]};
}

void PathMtuSearch::handle_answer(Instant now, std::uint16_t number) {
  const std::size_t index = number % sizes_max;
  const auto search = static_cast<std::uint16_t>(search_ << index_bits);
  if (number - index != search || index >= sizes_.size()) return;
  if (!best_ || index < *best_) best_ = index;
  if (!on_) {
    mtu_ = std::max<std::size_t>(mtu_, sizes_[index]);  // late, and true all the same
  } else if (index == 0) {
    end_round(now);
  } else if (index + 1 == sizes_.size()) {
    deadline_ = std::min(deadline_, now + disorder_max);
  }
}

void PathMtuSearch::handle_timeout(Instant now) {
  if (now >= deadline_) end_round(now);
}

void PathMtuSearch::end_round(Instant now) {
  if (best_ && (ladder_ || *best_ == 0)) mtu_ = sizes_[*best_];
  const bool found = best_ == 0U;
  if (!found && !ladder_ && best_) {
    begin_round(now, true);
  } else if (!found && round_ < rounds_max) {
    begin_round(now, ladder_);
  } else {
    on_ = false;
    deadline_ = Instant::max();
    finished_at_ = now;
  }
}

}  // namespace sidestream::tunnel
