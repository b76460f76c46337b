#include "streams/tls_certificate.h"

#include <gtest/gtest.h>

#include "tests/support/tls_pair.h"

namespace sidestream {
namespace {

ServerName name(std::string_view text) {
  return *ServerName::parse_with_wildcard(text);
}

std::string error_of(std::string_view chain, std::string_view key) {
  const auto certificate = TlsCertificate::parse(chain, key);
  return certificate ? "" : certificate.error();
}

std::string without_key(const std::string& pem) {
  return pem.substr(0, pem.find("-----BEGIN PRIVATE KEY-----"));
}
std::string only_key(const std::string& pem) {
  return pem.substr(pem.find("-----BEGIN PRIVATE KEY-----"));
}

TEST(TlsCertificate, TellsWhatItIs) {
  const TlsCertificate certificate = certificate_of(self_signed_pem("home.example.com"));
  EXPECT_EQ(certificate.facts().names, std::vector<std::string>{"home.example.com"});
  EXPECT_TRUE(certificate.facts().self_signed);
  EXPECT_EQ(certificate.facts().not_before, tls_test_time - std::chrono::days(1));
  EXPECT_EQ(certificate.facts().not_after, tls_test_time + self_signed_life);
  const std::string print = fingerprint_text(certificate.facts().sha256);
  EXPECT_EQ(print.size(), 32U * 3 - 1);
  EXPECT_EQ(print.find_first_not_of("0123456789ABCDEF:"), std::string::npos);
}

TEST(TlsCertificate, CoversItsNamesAndNothingElse) {
  const TlsCertificate exact = certificate_of(self_signed_pem("home.example.com"));
  EXPECT_TRUE(exact.covers(name("home.example.com")));
  EXPECT_FALSE(exact.covers(name("a.home.example.com")));
  EXPECT_FALSE(exact.covers(name("*.example.com")));
  const TlsCertificate wildcard = certificate_of(self_signed_pem("*.example.com"));
  EXPECT_TRUE(wildcard.covers(name("home.example.com")));
  EXPECT_TRUE(wildcard.covers(name("*.example.com")));
  EXPECT_FALSE(wildcard.covers(name("example.com")));
  EXPECT_FALSE(wildcard.covers(name("a.home.example.com")));
}

TEST(TlsCertificate, SaysWhatIsWrongWithAPair) {
  const std::string pem = self_signed_pem("home.example.com");
  const std::string other = self_signed_pem("home.example.com");
  EXPECT_EQ(error_of(without_key(pem), only_key(pem)), "");
  EXPECT_EQ(error_of("", only_key(pem)),
            "the chain holds no certificate in PEM (-----BEGIN CERTIFICATE-----)");
  EXPECT_EQ(error_of(only_key(pem), without_key(pem)),
            "the chain holds a private key and no certificate; are chain and key mixed up?");
  EXPECT_EQ(error_of(pem, without_key(pem)),
            "the key's file holds a certificate and no key; are chain and key mixed up?");
  EXPECT_EQ(error_of(pem, "nothing"),
            "the key's file holds no private key in PEM (-----BEGIN PRIVATE KEY-----)");
  EXPECT_EQ(error_of(pem, only_key(other)),
            "the key does not belong to the first certificate of the chain; put the leaf first, "
            "with its own key");
  EXPECT_EQ(error_of(pem,
                     "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n"
                     "-----END ENCRYPTED PRIVATE KEY-----\n"),
            "the key has a passphrase, which nobody can type here; remove it (openssl pkey -in KEY "
            "-out NEW)");
  std::string many;
  for (std::size_t i = 0; i <= TlsCertificate::chain_length_max; ++i) many += without_key(pem);
  EXPECT_EQ(error_of(many, only_key(pem)),
            "the chain has more than 16 certificates; leave those that belong to the first one");
}

TEST(TlsCertificate, IsCutAtEveryLength) {
  const std::string pem = self_signed_pem("home.example.com");
  for (std::size_t i = 0; i < pem.size(); i += 7)
    EXPECT_FALSE(TlsCertificate::parse(pem.substr(0, i), pem.substr(0, i)) &&
                 i < pem.find("-----END PRIVATE KEY"))
        << i;
}

}  // namespace
}  // namespace sidestream
