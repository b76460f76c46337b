#include "streams/secret.h"

#include <gtest/gtest.h>

#include <new>

namespace sidestream {
namespace {

TEST(Secret, WipesItsBytesWhenItDies) {
  alignas(Secret<32>) std::array<std::uint8_t, sizeof(Secret<32>)> storage{};
  std::array<std::uint8_t, 32> bytes{};
  bytes.fill(0xa5);
  auto* secret = new (storage.data()) Secret<32>(bytes);
  EXPECT_EQ(storage[7], 0xa5);
  secret->~Secret();
  EXPECT_EQ(storage[7], 0);
}

TEST(Secret, ComparesByContent) {
  std::array<std::uint8_t, 4> bytes{1, 2, 3, 4};
  EXPECT_TRUE(Secret<4>(bytes) == Secret<4>(bytes));
  EXPECT_FALSE(Secret<4>(bytes) == Secret<4>());
  EXPECT_TRUE(Secret<4>().is_zero());
  EXPECT_FALSE(equal_in_constant_time(Bytes(bytes), Bytes(bytes).first(3)));
}

}  // namespace
}  // namespace sidestream
