#include "tunnel/replay_window.h"

#include <algorithm>

namespace sidestream::tunnel {

bool ReplayWindow::accept(std::uint64_t counter, std::uint64_t reject_from) {
  if (counter >= reject_from) return false;
  if (highest_ > replay_window_size && counter < highest_ - replay_window_size) return false;

  const std::uint64_t word = counter / bits_per_word;
  const std::uint64_t highest_word = highest_ / bits_per_word;
  if (counter > highest_) {
    const std::uint64_t entered = std::min(word - highest_word, words);
    for (std::uint64_t i = 1; i <= entered; ++i) seen_[(highest_word + i) % words] = 0;
    highest_ = counter;
  }
  std::uint64_t& bits = seen_[word % words];
  const std::uint64_t bit = std::uint64_t{1} << (counter % bits_per_word);
  if ((bits & bit) != 0) return false;
  bits |= bit;
  return true;
}

}  // namespace sidestream::tunnel
