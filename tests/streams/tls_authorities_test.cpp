#include "streams/tls_authorities.h"

#include <gtest/gtest.h>

#include "tests/support/tls_pair.h"

namespace sidestream {
namespace {

TEST(TlsAuthorities, CountsWhatItTrusts) {
  const std::string one = self_signed_pem("one.example.com");
  EXPECT_EQ(count_authorities(one + self_signed_pem("two.example.com")), 2U);
  EXPECT_EQ(TlsAuthorities::of_system().count(), 0U);
}

TEST(TlsAuthorities, RefusesAFileWithoutAny) {
  EXPECT_EQ(count_authorities("").error(),
            "it holds no certificate in PEM (-----BEGIN CERTIFICATE-----)");
}

}  // namespace
}  // namespace sidestream
