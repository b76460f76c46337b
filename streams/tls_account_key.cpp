#include "streams/tls_account_key.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>

#include <vector>

#include "streams/base64.h"

namespace sidestream {
namespace {

constexpr std::size_t coordinate_bytes = 32;

std::string coordinate(EVP_PKEY* key, const char* name) {
  BIGNUM* number = nullptr;
  if (EVP_PKEY_get_bn_param(key, name, &number) != 1) throw std::bad_alloc();
  std::array<std::uint8_t, coordinate_bytes> bytes{};
  BN_bn2binpad(number, bytes.data(), coordinate_bytes);
  BN_free(number);
  return serialize_base64url(bytes);
}

struct FreeDigestContext {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
struct FreeSignature {
  void operator()(ECDSA_SIG* signature) const { ECDSA_SIG_free(signature); }
};

}  // namespace

TlsAccountKey TlsAccountKey::generate() {
  return TlsAccountKey(owned<KeyOwner>(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256")));
}

std::expected<TlsAccountKey, std::string> TlsAccountKey::parse(std::string_view pem) {
  const BioOwner reader = reader_of(pem);
  KeyOwner key(PEM_read_bio_PrivateKey(reader.get(), nullptr, nullptr, nullptr));
  ERR_clear_error();
  std::array<char, 32> curve{};
  const bool good = key && EVP_PKEY_is_a(key.get(), "EC") == 1 &&
                    EVP_PKEY_get_group_name(key.get(), curve.data(), curve.size(), nullptr) == 1 &&
                    std::string_view(curve.data()) == "prime256v1";
  ERR_clear_error();
  if (!good) return std::unexpected("it holds no P-256 key in PEM");
  return TlsAccountKey(std::move(key));
}

SecretText TlsAccountKey::pem() const {
  const BioOwner writer = owned<BioOwner>(BIO_new(BIO_s_secmem()));
  PEM_write_bio_PrivateKey(writer.get(), key_.get(), nullptr, nullptr, 0, nullptr, nullptr);
  char* text = nullptr;
  const long size = BIO_get_mem_data(writer.get(), &text);
  return SecretText(std::string(text, static_cast<std::size_t>(size)));
}

std::array<std::uint8_t, 64> TlsAccountKey::sign(std::string_view text) const {
  const std::unique_ptr<EVP_MD_CTX, FreeDigestContext> context(EVP_MD_CTX_new());
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  std::vector<unsigned char> der(static_cast<std::size_t>(EVP_PKEY_get_size(key_.get())));
  std::size_t size = der.size();
  if (!context ||
      EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key_.get()) != 1 ||
      EVP_DigestSign(context.get(), der.data(), &size, bytes, text.size()) != 1)
    throw std::bad_alloc();
  const unsigned char* from = der.data();
  const std::unique_ptr<ECDSA_SIG, FreeSignature> pair(
      d2i_ECDSA_SIG(nullptr, &from, static_cast<long>(size)));
  if (!pair) throw std::bad_alloc();
  std::array<std::uint8_t, 2 * coordinate_bytes> signature{};
  BN_bn2binpad(ECDSA_SIG_get0_r(pair.get()), signature.data(), coordinate_bytes);
  BN_bn2binpad(ECDSA_SIG_get0_s(pair.get()), signature.data() + coordinate_bytes, coordinate_bytes);
  return signature;
}

std::string TlsAccountKey::jwk() const {
  return R"({"crv":"P-256","kty":"EC","x":")" + coordinate(key_.get(), OSSL_PKEY_PARAM_EC_PUB_X) +
         R"(","y":")" + coordinate(key_.get(), OSSL_PKEY_PARAM_EC_PUB_Y) + "\"}";
}

std::string TlsAccountKey::thumbprint() const {
  return serialize_base64url(sha256_of(jwk()));
}

std::array<std::uint8_t, 32> sha256_of(std::string_view text) {
  std::array<std::uint8_t, 32> digest{};
  EVP_Digest(text.data(), text.size(), digest.data(), nullptr, EVP_sha256(), nullptr);
  return digest;
}

std::array<std::uint8_t, 32> hmac_sha256(Bytes key, std::string_view text) {
  std::array<std::uint8_t, 32> code{};
  unsigned size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), code.data(), &size);
  return code;
}

}  // namespace sidestream
