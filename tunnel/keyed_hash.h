// SipHash-2-4 (Aumasson and Bernstein, 2012): a short hash that nobody can steer without the key.
// For initial sequence numbers (RFC 6528), timestamp offsets and the connection table.
#pragma once

#include <array>
#include <cstdint>

#include "streams/bytes.h"
#include "streams/random.h"

namespace sidestream::tunnel {

class KeyedHash {
 public:
  explicit KeyedHash(const std::array<std::uint8_t, 16>& key);
  // With a key of its own.
  explicit KeyedHash(RandomSource& random);

  [[nodiscard]] std::uint64_t operator()(Bytes message) const;

 private:
  std::uint64_t k0_;
  std::uint64_t k1_;
};

}  // namespace sidestream::tunnel
