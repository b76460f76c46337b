#include "streams/tls_self_signed.h"

#include <gtest/gtest.h>

#include "tests/support/tls_pair.h"

namespace sidestream {
namespace {

TEST(TlsSelfSigned, IsALeafThatSignedItselfForWhoChecks) {
  TlsPair pair;
  const auto stranger = TlsClient::make({.authorities = self_signed_pem("other.example.com")});
  pair.near = stranger->connect(TlsPair::host);
  EXPECT_FALSE(pair.shake_hands());
  // Wallets that pin look for exactly this verdict (18), and not for an unknown issuer (20).
  EXPECT_EQ(pair.near->problem(), "certificate refused: self-signed certificate");
}

TEST(TlsSelfSigned, IsTrustedByWhoHasPinnedIt) {
  TlsPair pair;
  EXPECT_TRUE(pair.shake_hands());
}

TEST(TlsSelfSigned, AClockThatWasNeverSetDoesNoHarm) {
  const auto facts = certificate_of(self_signed_pem("a.example.com", WallTime{})).facts();
  EXPECT_GT(facts.not_after, tls_test_time + std::chrono::days(3300));
  EXPECT_LT(facts.not_before, tls_test_time);
}

TEST(TlsSelfSigned, TakesNamesThatAreTooLongForASubject) {
  const std::string label(60, 'a');
  const std::string name = label + '.' + label + ".example.com";
  EXPECT_EQ(certificate_of(self_signed_pem(name)).facts().names, std::vector<std::string>{name});
}

}  // namespace
}  // namespace sidestream
