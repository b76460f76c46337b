#include "tunnel/internet_checksum.h"

#include <cstring>

namespace sidestream::tunnel {

InternetChecksum& InternetChecksum::add(Bytes bytes) {
  // Four sums of 64-bit words side by side, none waiting for another's carry; carries are counted
  // apart and added at the end, since 2^64 is 1 in this arithmetic.
  const std::uint8_t* at = bytes.data();
  std::size_t left = bytes.size();
  std::uint64_t sums[4] = {};
  std::uint64_t carries = 0;
  for (; left >= 32; left -= 32, at += 32) {
    std::uint64_t words[4];
    std::memcpy(words, at, 32);
    for (std::size_t i = 0; i < 4; ++i) {
      sums[i] += words[i];
      carries += sums[i] < words[i];
    }
  }
  const auto fold = [](std::uint64_t sum) { return (sum & 0xffffffffU) + (sum >> 32U); };
  std::uint64_t sum = fold(sums[0]) + fold(sums[1]) + fold(sums[2]) + fold(sums[3]) + carries;
  for (; left > 0;) {
    const std::size_t count = left < 4 ? left : 4;
    std::uint32_t word = 0;  // zero bytes behind the last one, as RFC 1071 pads
    std::memcpy(&word, at, count);
    sum += word;
    left -= count;
    at += count;
  }
  sum_ += fold(sum);
  return *this;
}

InternetChecksum& InternetChecksum::add_u16(std::uint16_t value) {
  const std::uint8_t bytes[2] = {static_cast<std::uint8_t>(value >> 8U),
                                 static_cast<std::uint8_t>(value)};
  return add(bytes);
}

InternetChecksum& InternetChecksum::add_u32(std::uint32_t value) {
  return add_u16(static_cast<std::uint16_t>(value >> 16U))
      .add_u16(static_cast<std::uint16_t>(value));
}

std::uint16_t InternetChecksum::folded() const {
  std::uint64_t sum = sum_;
  while (sum > 0xffff) sum = (sum & 0xffffU) + (sum >> 16U);
  return static_cast<std::uint16_t>(sum);
}

void InternetChecksum::store(MutableBytes field) const {
  const auto value = static_cast<std::uint16_t>(~folded());
  std::memcpy(field.data(), &value, 2);
}

}  // namespace sidestream::tunnel
