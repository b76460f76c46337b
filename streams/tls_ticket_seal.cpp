#include "streams/tls_ticket_seal.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include <array>

namespace sidestream {
namespace {

constexpr int iv_bytes = 16;

bool set_mac_key(EVP_MAC_CTX* mac, const TlsTicketKey& key) {
  char digest[] = "SHA256";
  const auto bytes = key.mac_key.reveal();
  std::array<OSSL_PARAM, 3> parameters{
      OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, const_cast<std::uint8_t*>(bytes.data()),
                                        bytes.size()),
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
      OSSL_PARAM_construct_end()};
  return EVP_MAC_CTX_set_params(mac, parameters.data()) == 1;
}

}  // namespace

int seal_ticket(const TlsTicketKeys& keys, unsigned char* name, unsigned char* iv,
                evp_cipher_ctx_st* cipher, evp_mac_ctx_st* mac) {
  const TlsTicketKey& key = keys.newest();
  std::ranges::copy(key.name, name);
  // OpenSSL wants its own randomness here, as for every other nonce of the handshake.
  const bool done = RAND_priv_bytes(iv, iv_bytes) == 1 &&
                    EVP_EncryptInit_ex2(cipher, EVP_aes_256_cbc(), key.cipher_key.reveal().data(),
                                        iv, nullptr) == 1 &&
                    set_mac_key(mac, key);
  return done ? 1 : -1;
}

int open_ticket(const TlsTicketKeys& keys, const unsigned char* name, const unsigned char* iv,
                evp_cipher_ctx_st* cipher, evp_mac_ctx_st* mac) {
  const TlsTicketKey* key = keys.find({name, TlsTicketKey::name_bytes});
  if (key == nullptr) return 0;
  const bool done = EVP_DecryptInit_ex2(cipher, EVP_aes_256_cbc(), key->cipher_key.reveal().data(),
                                        iv, nullptr) == 1 &&
                    set_mac_key(mac, *key);
  if (!done) return -1;
  return key == &keys.newest() ? 1 : 2;
}

}  // namespace sidestream
