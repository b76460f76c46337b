// The bytes that churn's streams carry.
#pragma once

#include <cstddef>
#include <cstdint>

namespace sidestream {

inline constexpr std::size_t question_bytes_min = 64;
inline constexpr std::size_t question_bytes_max = 1024;

// The endless bytes of a stream.
inline char content(std::uint64_t stream, std::uint64_t offset) {
  std::uint64_t mixed = (stream + 1) * 0x9e3779b97f4a7c15U + offset;
  mixed = (mixed ^ (mixed >> 30U)) * 0xbf58476d1ce4e5b9U;
  mixed = (mixed ^ (mixed >> 27U)) * 0x94d049bb133111ebU;
  return static_cast<char>(mixed >> 56U);
}

}  // namespace sidestream
