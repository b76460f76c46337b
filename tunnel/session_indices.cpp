#include "tunnel/session_indices.h"

namespace sidestream::tunnel {

SessionIndex& SessionIndex::operator=(SessionIndex&& other) noexcept {
  if (this == &other) return *this;
  release();
  table_ = std::exchange(other.table_, nullptr);
  value_ = other.value_;
  return *this;
}

void SessionIndex::release() noexcept {
  if (table_ != nullptr) table_->owners_.erase(value_);
  table_ = nullptr;
}

SessionIndex SessionIndices::take(RandomSource& random, PeerId owner) {
  for (;;) {
    const std::uint32_t value = random.u32();
    if (owners_.try_emplace(value, owner).second) return {*this, value};
  }
}

std::optional<PeerId> SessionIndices::owner_of(std::uint32_t index) const {
  const auto found = owners_.find(index);
  if (found == owners_.end()) return std::nullopt;
  return found->second;
}

}  // namespace sidestream::tunnel
