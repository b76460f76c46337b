#include "streams/tls_offer.h"

#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include "tests/support/tls_pair.h"

namespace sidestream {
namespace {

TEST(TlsOffer, OnlyWhoAsksForAChallengeAloneGetsIt) {
  for (const std::vector<std::string>& alpn :
       {std::vector<std::string>{"acme-tls/1"}, {"acme-tls/1", "h2"}, {"h2"}, {}}) {
    TlsPair pair({}, alpn);
    std::vector<TlsCertificate> challenges;
    challenges.push_back(certificate_of(self_signed_pem(TlsPair::host)));
    pair.server().set_challenges(std::move(challenges));
    const bool alone = alpn.size() == 1 && alpn[0] == "acme-tls/1";
    // The client trusts the other certificate only.
    EXPECT_EQ(pair.shake_hands(), !alone);
    EXPECT_EQ(is_challenge(*pair.far), alone);
  }
}

TEST(TlsOffer, WithoutAChallengeForItsNameAValidatorIsRefused) {
  TlsPair pair({}, {"acme-tls/1"});
  EXPECT_FALSE(pair.shake_hands());
  EXPECT_EQ(pair.near->problem(), "tlsv1 alert no application protocol");
  std::vector<TlsCertificate> challenges;
  challenges.push_back(certificate_of(self_signed_pem("other.example.com")));
  pair.server().set_challenges(std::move(challenges));
  pair.begin();
  EXPECT_FALSE(pair.shake_hands());
  EXPECT_EQ(pair.near->problem(), "tlsv1 alert no application protocol");
}

TEST(TlsOffer, ANameThatCannotBeOneIsAsNone) {
  TlsPair pair;
  SSL_set_tlsext_host_name(pair.near->ssl(), "not a name");
  EXPECT_TRUE(pair.shake_hands());
}

}  // namespace
}  // namespace sidestream
