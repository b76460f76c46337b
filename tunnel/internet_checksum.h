// The Internet checksum (RFC 1071). The sum is kept in the machine's byte order, which RFC 1071
// section 2(B) allows, and is only turned into bytes by `store`.
#pragma once

#include <cstdint>

#include "streams/bytes.h"

namespace sidestream::tunnel {

class InternetChecksum {
 public:
  // Bytes of odd length may only come last: there is no carry of half a word between calls.
  InternetChecksum& add(Bytes bytes);
  InternetChecksum& add_u16(std::uint16_t value);
  InternetChecksum& add_u32(std::uint32_t value);

  // Writes the two bytes that make the sum over everything come out right.
  void store(MutableBytes field) const;
  // Whether the bytes added, checksum field included, are intact.
  [[nodiscard]] bool good() const { return folded() == 0xffff; }

 private:
  [[nodiscard]] std::uint16_t folded() const;

  std::uint64_t sum_ = 0;
};

}  // namespace sidestream::tunnel
