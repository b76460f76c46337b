#include "streams/tls_self_signed.h"

#include <openssl/bn.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <utility>

#include "streams/tls_openssl.h"

namespace sidestream {
namespace {

constexpr WallTime first_day = std::chrono::sys_days(std::chrono::year(2026) / 1 / 1);
// Clocks of clients are behind sometimes.
constexpr std::chrono::days margin{1};

std::time_t seconds_of(WallTime time) {
  return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
}

void add_extension(X509* certificate, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str());
  if (extension == nullptr) throw std::bad_alloc();
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

void set_name(X509* certificate, const std::string& name) {
  X509_NAME* subject = X509_get_subject_name(certificate);
  // A common name has 64 characters at most; the alternative name is what counts.
  constexpr std::size_t subject_bytes_max = 64;
  const std::string shown = name.size() <= subject_bytes_max ? name : "sidestream";
  X509_NAME_add_entry_by_NID(subject, NID_commonName, MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(shown.data()),
                             static_cast<int>(shown.size()), -1, 0);
  X509_set_issuer_name(certificate, subject);
}

std::string pem_of(X509* certificate, EVP_PKEY* key) {
  // Secure memory: what BIO_free_all leaves behind is wiped.
  const BioOwner writer = owned<BioOwner>(BIO_new(BIO_s_secmem()));
  PEM_write_bio_X509(writer.get(), certificate);
  PEM_write_bio_PrivateKey(writer.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
  char* text = nullptr;
  const long size = BIO_get_mem_data(writer.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}

void add_acme_identifier(X509* certificate, const std::array<std::uint8_t, 32>& digest) {
  constexpr std::uint8_t octet_string = 4;
  std::array<std::uint8_t, 34> value{octet_string, static_cast<std::uint8_t>(digest.size())};
  std::ranges::copy(digest, value.begin() + 2);
  ASN1_OCTET_STRING* content = ASN1_OCTET_STRING_new();
  if (content == nullptr) throw std::bad_alloc();
  ASN1_OCTET_STRING_set(content, value.data(), static_cast<int>(value.size()));
  constexpr int critical = 1;
  // RFC 8737 section 6.1; older versions of OpenSSL have no name for it.
  ASN1_OBJECT* identifier = OBJ_txt2obj("1.3.6.1.5.5.7.1.31", 1);
  X509_EXTENSION* extension = X509_EXTENSION_create_by_OBJ(nullptr, identifier, critical, content);
  ASN1_OBJECT_free(identifier);
  ASN1_OCTET_STRING_free(content);
  if (extension == nullptr) throw std::bad_alloc();
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

// A leaf for `name` and its key, signed by itself as soon as it has all of its extensions.
struct Leaf {
  KeyOwner key;
  X509Owner certificate;
};

Leaf begin_leaf(const std::string& name, WallTime now, Duration life,
                const std::array<std::uint8_t, 16>& serial) {
  Leaf made{owned<KeyOwner>(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256")),
            owned<X509Owner>(X509_new())};
  X509* leaf = made.certificate.get();
  X509_set_version(leaf, X509_VERSION_3);
  std::array<std::uint8_t, 16> positive = serial;
  positive[0] = (positive[0] & 0x7fU) | 0x40U;  // RFC 5280 section 4.1.2.2: positive
  BIGNUM* number = BN_bin2bn(positive.data(), static_cast<int>(positive.size()), nullptr);
  if (number == nullptr) throw std::bad_alloc();
  BN_to_ASN1_INTEGER(number, X509_get_serialNumber(leaf));
  BN_free(number);
  const WallTime begin = std::max(now, first_day);
  ASN1_TIME_set(X509_getm_notBefore(leaf), seconds_of(begin - margin));
  ASN1_TIME_set(X509_getm_notAfter(leaf), seconds_of(begin + life));
  set_name(leaf, name);
  X509_set_pubkey(leaf, made.key.get());
  add_extension(leaf, NID_subject_alt_name, "DNS:" + name);
  return made;
}

SecretText sign_leaf(const Leaf& made) {
  X509* leaf = made.certificate.get();
  if (X509_sign(leaf, made.key.get(), EVP_sha256()) == 0) throw std::bad_alloc();
  return SecretText(pem_of(leaf, made.key.get()));
}

}  // namespace

SecretText make_self_signed(const std::string& name, WallTime now,
                            const std::array<std::uint8_t, 16>& serial) {
  const Leaf made = begin_leaf(name, now, self_signed_life, serial);
  X509* leaf = made.certificate.get();
  add_extension(leaf, NID_basic_constraints, "critical,CA:FALSE");
  add_extension(leaf, NID_key_usage, "critical,digitalSignature");
  add_extension(leaf, NID_ext_key_usage, "serverAuth");
  return sign_leaf(made);
}

SecretText make_challenge(const std::string& name, const std::array<std::uint8_t, 32>& digest,
                          WallTime now, const std::array<std::uint8_t, 16>& serial) {
  constexpr std::chrono::days challenge_life{7};
  const Leaf made = begin_leaf(name, now, challenge_life, serial);
  add_acme_identifier(made.certificate.get(), digest);
  return sign_leaf(made);
}

}  // namespace sidestream
