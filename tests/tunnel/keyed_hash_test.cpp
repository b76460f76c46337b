#include "tunnel/keyed_hash.h"

#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "tests/support/seeded_random.h"

namespace sidestream::tunnel {
namespace {

TEST(KeyedHash, AgreesWithTheVectorsOfItsAuthors) {
  // SipHash-2-4 with key 00…0f of the messages "", 00, 00 01, … (the reference's vectors_sip64).
  constexpr std::array<std::uint64_t, 16> expected = {
      0x726fdb47dd0e0e31, 0x74f839c593dc67fd, 0x0d6c8009d9a94f5a, 0x85676696d7fb7e2d,
      0xcf2794e0277187b7, 0x18765564cd99a68d, 0xcbc9466e58fee3ce, 0xab0200f58b01d137,
      0x93f5f5799a932462, 0x9e0082df0ba9e4b0, 0x7a5dbbc594ddb9f3, 0xf4b32f46226bada7,
      0x751e8fbc860ee5fb, 0x14ea5627c0843d90, 0xf723ca908e7af2ee, 0xa129ca6149be45e5};
  std::array<std::uint8_t, 16> key{};
  std::vector<std::uint8_t> message;
  for (std::uint8_t i = 0; i < 16; ++i) key[i] = i;
  const KeyedHash hash(key);
  for (std::uint8_t length = 0; length < 16; ++length) {
    EXPECT_EQ(hash(message), expected[length]) << int{length};
    message.push_back(length);
  }
}

TEST(KeyedHash, TakesItsKeyFromTheSource) {
  SeededRandom one(1);
  SeededRandom again(1);
  const KeyedHash first(one);
  const KeyedHash second(one);
  EXPECT_EQ(first({}), KeyedHash(again)({}));
  EXPECT_NE(first({}), second({}));
}

}  // namespace
}  // namespace sidestream::tunnel
