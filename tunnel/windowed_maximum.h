// The greatest value of the last so many rounds, from three candidates (Nichols, 2012, as Linux
// keeps it): each new value pushes out what is older and smaller.
#pragma once

#include <array>
#include <cstdint>

namespace sidestream::tunnel {

class WindowedMaximum {
 public:
  explicit WindowedMaximum(std::uint64_t rounds) : rounds_(rounds) {}

  void update(std::uint64_t round, std::uint64_t value) {
    const Candidate now{round, value};
    if (value >= best_[0].value || round - best_[2].round > rounds_) {
      best_ = {now, now, now};
      return;
    }
    if (value >= best_[1].value) {
      best_[1] = best_[2] = now;
    } else if (value >= best_[2].value) {
      best_[2] = now;
    }
    // The candidates must not all be from the same part of the window, or nothing is left when the
    // first one grows too old.
    if (round - best_[0].round > rounds_) {
      best_ = {best_[1], best_[2], now};
      if (round - best_[0].round > rounds_) best_ = {best_[1], best_[2], now};
    } else if (best_[1].round == best_[0].round && round - best_[1].round > rounds_ / 4) {
      best_[1] = best_[2] = now;
    } else if (best_[2].round == best_[1].round && round - best_[2].round > rounds_ / 2) {
      best_[2] = now;
    }
  }
  void reset(std::uint64_t round, std::uint64_t value) { best_.fill({round, value}); }
  [[nodiscard]] std::uint64_t value() const { return best_[0].value; }

 private:
  struct Candidate {
    std::uint64_t round = 0;
    std::uint64_t value = 0;
  };
  std::uint64_t rounds_;
  std::array<Candidate, 3> best_{};
};

}  // namespace sidestream::tunnel
