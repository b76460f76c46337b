// CRC32C (Castagnoli), as RFC 4960 appendix B has it: the checksum of the PROXY protocol.
#pragma once

#include <array>
#include <cstdint>

#include "streams/bytes.h"

namespace sidestream {

// Table-driven; good for headers, not for bulk. To go on from an earlier part pass its result.
[[nodiscard]] constexpr std::uint32_t crc32c(Bytes bytes, std::uint32_t earlier = 0) {
  constexpr std::uint32_t reversed_polynomial = 0x82f63b78;
  constexpr auto table = [] {
    std::array<std::uint32_t, 256> remainders{};
    for (std::uint32_t i = 0; i < 256; ++i) {
      std::uint32_t remainder = i;
      for (int bit = 0; bit < 8; ++bit)
        remainder = remainder >> 1U ^ ((remainder & 1U) != 0 ? reversed_polynomial : 0);
      remainders[i] = remainder;
    }
    return remainders;
  }();
  std::uint32_t crc = ~earlier;
  for (const std::uint8_t byte : bytes) crc = crc >> 8U ^ table[(crc ^ byte) & 0xffU];
  return ~crc;
}

}  // namespace sidestream
