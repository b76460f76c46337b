#include "streams/tls_request.h"

#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "streams/tls_certificate_parts.h"
#include "tests/support/tls_pair.h"

namespace sidestream {
namespace {

TEST(TlsRequest, AsksForItsNamesWithAKeyOfItsOwn) {
  const TlsRequest request = make_certificate_request({"a.example.com", "b.example.com"});
  const unsigned char* der = request.der.data();
  const X509RequestOwner parsed(d2i_X509_REQ(nullptr, &der, static_cast<long>(request.der.size())));
  ASSERT_TRUE(parsed);
  EXPECT_EQ(X509_REQ_verify(parsed.get(), X509_REQ_get0_pubkey(parsed.get())), 1);
  STACK_OF(X509_EXTENSION)* extensions = X509_REQ_get_extensions(parsed.get());
  ASSERT_EQ(sk_X509_EXTENSION_num(extensions), 1);
  const BioOwner writer = owned<BioOwner>(BIO_new(BIO_s_mem()));
  X509V3_EXT_print(writer.get(), sk_X509_EXTENSION_value(extensions, 0), 0, 0);
  char* text = nullptr;
  const long size = BIO_get_mem_data(writer.get(), &text);
  EXPECT_EQ(std::string(text, static_cast<std::size_t>(size)),
            "DNS:a.example.com, DNS:b.example.com");
  sk_X509_EXTENSION_pop_free(extensions, &X509_EXTENSION_free);
}

TEST(TlsRequest, ACertificateWithoutAnAuthorityHasNoRenewalName) {
  EXPECT_EQ(renewal_name(certificate_of(self_signed_pem("a.example.com"))), "");
}

// RFC 9773 section 4.1: the zero that keeps the serial number positive belongs to it.
TEST(TlsRequest, TheRenewalNameIsThatOfTheStandard) {
  const std::string pem = self_signed_pem("a.example.com");
  TlsCertificate certificate = certificate_of(pem);
  X509* leaf = certificate.parts().leaf.get();
  const std::array<unsigned char, 8> serial{0x87, 0x65, 0x43, 0x21, 0x00, 0x00, 0x00, 0x00};
  BIGNUM* number = BN_bin2bn(serial.data(), 4, nullptr);
  BN_to_ASN1_INTEGER(number, X509_get_serialNumber(leaf));
  BN_free(number);
  const std::array<unsigned char, 20> key{0x69, 0x88, 0x5B, 0x6B, 0x87, 0x46, 0x40,
                                          0x41, 0xE1, 0xB3, 0x7B, 0x84, 0x7B, 0xA0,
                                          0xAE, 0x2C, 0xDE, 0x01, 0xC8, 0xD4};
  AUTHORITY_KEYID* id = AUTHORITY_KEYID_new();
  id->keyid = ASN1_OCTET_STRING_new();
  ASN1_OCTET_STRING_set(id->keyid, key.data(), static_cast<int>(key.size()));
  X509_add1_ext_i2d(leaf, NID_authority_key_identifier, id, 0, X509V3_ADD_REPLACE);
  AUTHORITY_KEYID_free(id);
  X509_sign(leaf, certificate.parts().key.get(), EVP_sha256());
  const BioOwner writer = owned<BioOwner>(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(writer.get(), leaf);
  char* text = nullptr;
  const long size = BIO_get_mem_data(writer.get(), &text);
  const auto again = TlsCertificate::parse({text, static_cast<std::size_t>(size)}, pem);
  ASSERT_TRUE(again);
  EXPECT_EQ(renewal_name(*again), "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE");
}

}  // namespace
}  // namespace sidestream
