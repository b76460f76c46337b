// The 32-bit indices by which datagrams name a handshake or a session of ours (sections 5.4.2 and
// 5.4.3): random, unique in the device, and free again when what they name is gone.
#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>
#include <utility>

#include "streams/random.h"

namespace sidestream::tunnel {

enum class PeerId : std::uint32_t;
class SessionIndices;

// One index, taken as long as this lives. Moves with the handshake that becomes a session.
class SessionIndex {
 public:
  SessionIndex() = default;  // none
  SessionIndex(SessionIndex&& other) noexcept
      : table_(std::exchange(other.table_, nullptr)), value_(other.value_) {}
  SessionIndex& operator=(SessionIndex&& other) noexcept;
  SessionIndex(const SessionIndex&) = delete;
  SessionIndex& operator=(const SessionIndex&) = delete;
  ~SessionIndex() { release(); }

  [[nodiscard]] std::uint32_t value() const { return value_; }

 private:
  friend class SessionIndices;
  SessionIndex(SessionIndices& table, std::uint32_t value) : table_(&table), value_(value) {}
  void release() noexcept;

  SessionIndices* table_ = nullptr;
  std::uint32_t value_ = 0;
};

// Outlives all its indices. Bounded by its users: each peer has at most one handshake and three
// sessions.
class SessionIndices {
 public:
  SessionIndices() = default;
  SessionIndices(const SessionIndices&) = delete;
  SessionIndices& operator=(const SessionIndices&) = delete;

  SessionIndex take(RandomSource& random, PeerId owner);
  [[nodiscard]] std::optional<PeerId> owner_of(std::uint32_t index) const;
  [[nodiscard]] std::size_t size() const { return owners_.size(); }

 private:
  friend class SessionIndex;
  std::unordered_map<std::uint32_t, PeerId> owners_;
};

}  // namespace sidestream::tunnel
