#include "streams/tls_account_key.h"

#include <gtest/gtest.h>

#include "streams/base64.h"

namespace sidestream {
namespace {

TEST(TlsAccountKey, IsTheSameAfterwards) {
  const TlsAccountKey key = TlsAccountKey::generate();
  const auto again = TlsAccountKey::parse(key.pem().reveal());
  ASSERT_TRUE(again);
  EXPECT_EQ(again->jwk(), key.jwk());
  EXPECT_NE(TlsAccountKey::generate().jwk(), key.jwk());
}

TEST(TlsAccountKey, RefusesWhatIsNoKeyOfItsKind) {
  EXPECT_EQ(TlsAccountKey::parse("nothing").error(), "it holds no P-256 key in PEM");
  EXPECT_EQ(TlsAccountKey::parse("").error(), "it holds no P-256 key in PEM");
}

TEST(TlsAccountKey, SignsDifferentlyEachTimeAndInTwoHalves) {
  const TlsAccountKey key = TlsAccountKey::generate();
  EXPECT_NE(key.sign("text"), key.sign("text"));
  EXPECT_EQ(parse_base64url(key.thumbprint())->size(), 32U);
  EXPECT_TRUE(key.jwk().starts_with(R"({"crv":"P-256","kty":"EC","x":")"));
}

// RFC 4231 section 4.3, FIPS 180-4.
TEST(TlsAccountKey, SumsAreThoseOfTheStandards) {
  const auto code = hmac_sha256(bytes_of("Jefe"), "what do ya want for nothing?");
  EXPECT_EQ(code[0], 0x5b);
  EXPECT_EQ(code[31], 0x43);
  const auto digest = sha256_of("abc");
  EXPECT_EQ(digest[0], 0xba);
  EXPECT_EQ(digest[31], 0xad);
}

}  // namespace
}  // namespace sidestream
