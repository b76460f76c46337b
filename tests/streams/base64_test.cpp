#include "streams/base64.h"

#include <gtest/gtest.h>

namespace sidestream {
namespace {

// RFC 4648 section 10.
TEST(Base64, RoundTrips) {
  EXPECT_EQ(serialize_base64(bytes_of("fooba")), "Zm9vYmE=");
  EXPECT_EQ(serialize_base64(bytes_of("")), "");
  EXPECT_EQ(text_of(*parse_base64("Zm9vYg==")), "foob");
  EXPECT_EQ(serialize_base64url(bytes_of("\xfb\xff")), "-_8");
  EXPECT_EQ(text_of(*parse_base64url("-_8")), "\xfb\xff");
}

TEST(Base64, IsStrict) {
  EXPECT_FALSE(parse_base64("Zm9vYg="));
  EXPECT_FALSE(parse_base64("Zm9v Yg=="));
  EXPECT_FALSE(parse_base64("Zm9vYg==x"));
  EXPECT_FALSE(parse_base64url("-_8="));
  EXPECT_FALSE(parse_base64("Zm9\xb8"));  // found by fuzzing: libsodium takes it
}

}  // namespace
}  // namespace sidestream
