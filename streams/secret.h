// Key bytes that wipe themselves, cannot be printed and compare in constant time.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "streams/bytes.h"

namespace sidestream {

// Overwrites memory in a way that the optimiser keeps.
void wipe(MutableBytes bytes) noexcept;
// Equal length and content, in time that depends on the length only.
[[nodiscard]] bool equal_in_constant_time(Bytes left, Bytes right) noexcept;
[[nodiscard]] bool is_all_zero_in_constant_time(Bytes bytes) noexcept;

template <std::size_t Size>
class Secret {
 public:
  static constexpr std::size_t size = Size;

  Secret() = default;  // all zero
  // Copies; wiping the source stays the caller's job. Needs exactly Size bytes.
  explicit Secret(std::span<const std::uint8_t, Size> source) {
    std::copy(source.begin(), source.end(), bytes_.begin());
  }
  Secret(const Secret&) = default;
  Secret& operator=(const Secret&) = default;
  ~Secret() { clear(); }

  void clear() noexcept { wipe(bytes_); }
  [[nodiscard]] bool is_zero() const noexcept { return is_all_zero_in_constant_time(bytes_); }

  // The one way to the bytes; the name makes uses easy to find.
  [[nodiscard]] std::span<const std::uint8_t, Size> reveal() const noexcept { return bytes_; }
  [[nodiscard]] std::span<std::uint8_t, Size> reveal() noexcept { return bytes_; }

  friend bool operator==(const Secret& left, const Secret& right) noexcept {
    return equal_in_constant_time(left.bytes_, right.bytes_);
  }

 private:
  std::array<std::uint8_t, Size> bytes_{};
};

}  // namespace sidestream
