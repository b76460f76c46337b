#include "tunnel/keyed_hash.h"

#include <bit>

namespace sidestream::tunnel {
namespace {

std::array<std::uint8_t, 16> random_key(RandomSource& random) {
  std::array<std::uint8_t, 16> key{};
  random.fill(key);
  return key;
}

struct SipState {
  std::uint64_t v0, v1, v2, v3;

  void round() {
    v0 += v1;
    v1 = std::rotl(v1, 13) ^ v0;
    v0 = std::rotl(v0, 32);
    v2 += v3;
    v3 = std::rotl(v3, 16) ^ v2;
    v0 += v3;
    v3 = std::rotl(v3, 21) ^ v0;
    v2 += v1;
    v1 = std::rotl(v1, 17) ^ v2;
    v2 = std::rotl(v2, 32);
  }
  void compress(std::uint64_t word) {
    v3 ^= word;
    round();
    round();
    v0 ^= word;
  }
};

}  // namespace

KeyedHash::KeyedHash(const std::array<std::uint8_t, 16>& key)
    : k0_(ByteReader(Bytes(key).first(8)).u64_le()),
      k1_(ByteReader(Bytes(key).subspan(8)).u64_le()) {}

KeyedHash::KeyedHash(RandomSource& random) : KeyedHash(random_key(random)) {}

std::uint64_t KeyedHash::operator()(Bytes message) const {
  SipState state{k0_ ^ 0x736f6d6570736575ULL, k1_ ^ 0x646f72616e646f6dULL,
                 k0_ ^ 0x6c7967656e657261ULL, k1_ ^ 0x7465646279746573ULL};
  ByteReader reader(message);
  while (reader.size() >= 8) state.compress(reader.u64_le());
  std::uint64_t last = std::uint64_t{message.size()} << 56U;
  for (unsigned shift = 0; !reader.empty(); shift += 8) last |= std::uint64_t{reader.u8()} << shift;
  state.compress(last);
  state.v2 ^= 0xff;
  for (int i = 0; i < 4; ++i) state.round();
  return state.v0 ^ state.v1 ^ state.v2 ^ state.v3;
}

}  // namespace sidestream::tunnel
