#include "tunnel/wireguard_keys.h"

#include <gtest/gtest.h>

namespace sidestream::tunnel {
namespace {

TEST(PublicKey, HasTheTextFormThatWgPrints) {
  const std::string text = "CFQ0UXG1iLZ+1kBqRQvQd+SCjVixEwLJTpbjWuPwyVE=";
  ASSERT_TRUE(PublicKey::parse(text));
  EXPECT_EQ(PublicKey::parse(text)->text(), text);
  EXPECT_FALSE(PublicKey::parse(text.substr(1)));
  EXPECT_FALSE(PublicKey::parse(text + "="));
  EXPECT_FALSE(PublicKey::parse("AAAA"));
}

TEST(PrivateKey, IsWipedAndComparable) {
  const auto key = PrivateKey::parse("CFQ0UXG1iLZ+1kBqRQvQd+SCjVixEwLJTpbjWuPwyVE=");
  ASSERT_TRUE(key);
  EXPECT_FALSE(key->is_zero());
  PrivateKey copy = *key;
  EXPECT_TRUE(copy == *key);
  copy.clear();
  EXPECT_TRUE(copy.is_zero());
}

}  // namespace
}  // namespace sidestream::tunnel
