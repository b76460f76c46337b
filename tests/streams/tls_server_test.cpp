#include "streams/tls_server.h"

#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include "streams/tls_certificate_parts.h"
#include "tests/support/tls_pair.h"

namespace sidestream {
namespace {

std::vector<TlsCertificate> certificates_for(const std::vector<std::string>& names) {
  std::vector<TlsCertificate> all;
  for (const std::string& name : names) all.push_back(certificate_of(self_signed_pem(name)));
  return all;
}

// Which certificate somebody sees who asks for `name` and trusts nobody.
std::string shown_to(TlsPair& pair, const std::string& name) {
  pair.begin(name.empty() ? "192.0.2.1" : name);
  SSL_set_verify(pair.near->ssl(), SSL_VERIFY_NONE, nullptr);
  if (!pair.shake_hands()) return pair.near->problem();
  return pair.near->peer();
}

TEST(TlsServer, ShowsTheCertificateOfTheName) {
  TlsPair pair;
  pair.server().set_certificates(
      certificates_for({"one.example.com", "*.example.com", "two.example.com"}));
  EXPECT_EQ(shown_to(pair, "two.example.com"), "CN=two.example.com");
  EXPECT_EQ(shown_to(pair, "three.example.com"), "CN=*.example.com");
  EXPECT_EQ(shown_to(pair, "other.test"), "CN=one.example.com");
  EXPECT_EQ(shown_to(pair, ""), "CN=one.example.com");
}

TEST(TlsServer, NewCertificatesAreForNewConnections) {
  TlsPair pair;
  ASSERT_TRUE(pair.shake_hands());
  pair.server().set_certificates(certificates_for({"new.example.com"}));
  ASSERT_TRUE(pair.near->write(bytes_of("still here")));
  EXPECT_EQ(TlsPair::transfer(*pair.near, *pair.far), "still here");
  EXPECT_EQ(shown_to(pair, TlsPair::host), "CN=new.example.com");
}

TEST(TlsServer, WithoutACertificateRefusesWithAnAlert) {
  TlsPair pair;
  pair.server().set_certificates({});
  EXPECT_FALSE(pair.shake_hands());
  EXPECT_EQ(pair.near->problem(), "tlsv1 unrecognized name");
}

TEST(TlsServer, AgreesOnAProtocolInItsOwnOrder) {
  TlsPair pair({.alpn = {"postgresql", "h2"}}, {"h2", "postgresql"});
  ASSERT_TRUE(pair.shake_hands());
  EXPECT_EQ(pair.near->alpn(), "postgresql");
  EXPECT_EQ(pair.far->alpn(), "postgresql");
}

TEST(TlsServer, RefusesWhoOffersOtherProtocolsOnly) {
  TlsPair pair({.alpn = {"postgresql"}}, {"h2"});
  EXPECT_FALSE(pair.shake_hands());
  EXPECT_EQ(pair.near->problem(), "tlsv1 alert no application protocol");
}

TEST(TlsServer, ServesWhoOffersNoProtocolAndIgnoresOffersWhenItHasNone) {
  TlsPair silent({.alpn = {"postgresql"}});
  EXPECT_TRUE(silent.shake_hands());
  TlsPair offered({}, {"h2"});
  EXPECT_TRUE(offered.shake_hands());
  EXPECT_EQ(offered.near->alpn(), "");
}

class TlsServerVersions : public ::testing::TestWithParam<int> {};

TEST_P(TlsServerVersions, OldVersionsAreRefused) {
  TlsPair pair;
  SSL_set_security_level(pair.near->ssl(), 0);
  SSL_set_min_proto_version(pair.near->ssl(), GetParam());
  SSL_set_max_proto_version(pair.near->ssl(), GetParam());
  EXPECT_EQ(pair.shake_hands(), GetParam() >= TLS1_2_VERSION);
}
INSTANTIATE_TEST_SUITE_P(All, TlsServerVersions,
                         ::testing::Values(TLS1_VERSION, TLS1_1_VERSION, TLS1_2_VERSION,
                                           TLS1_3_VERSION));

TEST(TlsServer, WeakCiphersAreRefused) {
  for (const char* list : {"AES128-SHA", "AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-SHA"}) {
    TlsPair pair;
    SSL_set_security_level(pair.near->ssl(), 0);
    SSL_set_max_proto_version(pair.near->ssl(), TLS1_2_VERSION);
    SSL_set_cipher_list(pair.near->ssl(), list);
    EXPECT_FALSE(pair.shake_hands()) << list;
  }
}

class TlsClientCertificates : public ::testing::TestWithParam<int> {
 protected:
  TlsClientCertificates() {
    EXPECT_TRUE(pair_.server().require_client_certificates(known_pem_));
    pair_.begin();
    SSL_set_max_proto_version(pair_.near->ssl(), GetParam());
  }
  bool shake_hands_as(const std::string& pem) {
    const TlsCertificate own = certificate_of(pem);
    SSL_use_certificate(pair_.near->ssl(), own.parts().leaf.get());
    SSL_use_PrivateKey(pair_.near->ssl(), own.parts().key.get());
    return pair_.shake_hands();
  }

  // For servers only, which keeps it from being a client's.
  const std::string known_pem_ = self_signed_pem("known.example.com");
  TlsPair pair_;
};

TEST_P(TlsClientCertificates, NoneIsRefused) {
  EXPECT_FALSE(pair_.shake_hands());
  EXPECT_EQ(pair_.far->problem(), "peer did not return a certificate");
}

TEST_P(TlsClientCertificates, StrangersAreRefused) {
  EXPECT_FALSE(shake_hands_as(self_signed_pem("stranger.example.com")));
  EXPECT_TRUE(pair_.far->problem().starts_with("certificate refused: ")) << pair_.far->problem();
}

TEST_P(TlsClientCertificates, CertificatesForServersAreRefused) {
  EXPECT_FALSE(shake_hands_as(known_pem_));
  EXPECT_EQ(pair_.far->problem(), "certificate refused: unsuitable certificate purpose");
}
INSTANTIATE_TEST_SUITE_P(Versions, TlsClientCertificates,
                         ::testing::Values(TLS1_2_VERSION, TLS1_3_VERSION));

TEST(TlsServer, SaysWhatIsWrongWithAuthorities) {
  TlsPair pair;
  EXPECT_EQ(pair.server().require_client_certificates("nothing").error(),
            "it holds no certificate in PEM (-----BEGIN CERTIFICATE-----)");
  EXPECT_TRUE(pair.shake_hands());
}

}  // namespace
}  // namespace sidestream
