#include "streams/tls_client.h"

#include <gtest/gtest.h>

#include "tests/support/tls_pair.h"

namespace sidestream {
namespace {

TEST(TlsClient, RefusesACertificateForAnotherName) {
  TlsPair pair;
  pair.begin("other.example.com");
  EXPECT_FALSE(pair.shake_hands());
  EXPECT_EQ(pair.near->problem(), "certificate refused: hostname mismatch");
  EXPECT_NE(pair.far->problem(), "");
}

TEST(TlsClient, RefusesACertificateForAnotherAddress) {
  TlsPair pair;
  pair.begin("192.0.2.1");
  EXPECT_FALSE(pair.shake_hands());
  EXPECT_EQ(pair.near->problem(), "certificate refused: IP address mismatch");
}

TEST(TlsClient, TrustsTheSystemsAuthoritiesByDefault) {
  TlsPair pair;
  pair.near = TlsClient::make({})->connect(TlsPair::host);
  EXPECT_FALSE(pair.shake_hands());
  EXPECT_EQ(pair.near->problem(), "certificate refused: self-signed certificate");
}

TEST(TlsClient, SaysWhenThereIsNothingToTrust) {
  const auto client = TlsClient::make({.authorities = "nothing"});
  ASSERT_FALSE(client);
  EXPECT_EQ(client.error(), "it holds no certificate in PEM (-----BEGIN CERTIFICATE-----)");
}

}  // namespace
}  // namespace sidestream
