#include "tunnel/crypto.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <sodium.h>

#include <stdexcept>
#include <string>

namespace sidestream::tunnel {
namespace {

void require(bool good, const char* what) {
  if (!good)
    throw std::runtime_error(std::string("cryptography: ") + what +
                             " is not available; check the OpenSSL configuration of this machine");
}

template <auto Free>
struct Freed {
  template <typename Object>
  void operator()(Object* object) const noexcept {
    Free(object);
  }
};
using Digest = std::unique_ptr<EVP_MD, Freed<EVP_MD_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, Freed<EVP_MD_CTX_free>>;
using MacAlgorithm = std::unique_ptr<EVP_MAC, Freed<EVP_MAC_free>>;
using MacContext = std::unique_ptr<EVP_MAC_CTX, Freed<EVP_MAC_CTX_free>>;
using Cipher = std::unique_ptr<EVP_CIPHER, Freed<EVP_CIPHER_free>>;

// Fetching an algorithm is slow, so it is done once; the objects are immutable afterwards.
const EVP_MD* blake2s() {
  static const Digest fetched(EVP_MD_fetch(nullptr, "BLAKE2S-256", nullptr));
  require(fetched != nullptr, "BLAKE2s");
  return fetched.get();
}

EVP_MAC* fetched_mac(const char* name) {
  return EVP_MAC_fetch(nullptr, name, nullptr);
}

const EVP_CIPHER* chacha20_poly1305() {
  static const Cipher fetched(EVP_CIPHER_fetch(nullptr, "ChaCha20-Poly1305", nullptr));
  require(fetched != nullptr, "ChaCha20-Poly1305");
  return fetched.get();
}

// libsodium picks the fastest code for this processor in sodium_init; everything works before it.
void choose_fast_code() {
  static const int chosen = sodium_init();
  require(chosen >= 0, "libsodium");
}

template <std::size_t Size>
std::array<std::uint8_t, Size> run_mac(EVP_MAC* algorithm, Bytes key, const OSSL_PARAM* parameters,
                                       std::initializer_list<Bytes> parts) {
  require(algorithm != nullptr, "BLAKE2s");
  // An empty key is a key too; a null pointer would mean "none given".
  static constexpr std::uint8_t nothing = 0;
  const std::uint8_t* start = key.empty() ? &nothing : key.data();
  const MacContext context(EVP_MAC_CTX_new(algorithm));
  bool good = context && EVP_MAC_init(context.get(), start, key.size(), parameters) == 1;
  for (const Bytes part : parts)
    good = good && EVP_MAC_update(context.get(), part.data(), part.size()) == 1;
  std::array<std::uint8_t, Size> result{};
  std::size_t size = 0;
  good = good && EVP_MAC_final(context.get(), result.data(), &size, Size) == 1 && size == Size;
  require(good, "keyed BLAKE2s");
  return result;
}

std::array<std::uint8_t, 12> nonce_of(std::uint64_t counter) {
  std::array<std::uint8_t, 12> nonce{};
  ByteWriter writer(nonce);
  writer.zeros(4);
  writer.u64_le(counter);
  return nonce;
}

EVP_CIPHER_CTX* cipher_context(void* context) {
  return static_cast<EVP_CIPHER_CTX*>(context);
}

}  // namespace

KeyPair key_pair_of(const PrivateKey& private_key) {
  choose_fast_code();
  KeyPair pair{private_key, {}};
  const auto scalar = pair.private_key.reveal();
  scalar[0] = static_cast<std::uint8_t>(scalar[0] & 248U);
  scalar[31] = static_cast<std::uint8_t>((scalar[31] & 127U) | 64U);
  require(crypto_scalarmult_base(pair.public_key.bytes.data(), scalar.data()) == 0, "X25519");
  return pair;
}

KeyPair generate_key_pair(RandomSource& random) {
  PrivateKey private_key;
  random.fill(private_key.reveal());
  return key_pair_of(private_key);
}

std::optional<SymmetricKey> dh(const PrivateKey& private_key, const PublicKey& public_key) {
  choose_fast_code();
  std::optional<SymmetricKey> shared(std::in_place);
  if (crypto_scalarmult(shared->reveal().data(), private_key.reveal().data(),
                        public_key.bytes.data()) != 0 ||
      shared->is_zero())
    return std::nullopt;
  return shared;
}

bool is_low_order(const PublicKey& public_key) {
  // Clamped scalars are multiples of 8, the order of the small subgroup: any one of them will do.
  PrivateKey any;
  any.reveal()[0] = 8;
  any.reveal()[31] = 64;
  return !dh(any, public_key);
}

Hash hash(std::initializer_list<Bytes> parts) {
  const DigestContext context(EVP_MD_CTX_new());
  bool good = context && EVP_DigestInit_ex(context.get(), blake2s(), nullptr) == 1;
  for (const Bytes part : parts)
    good = good && EVP_DigestUpdate(context.get(), part.data(), part.size()) == 1;
  Hash result{};
  unsigned size = 0;
  good =
      good && EVP_DigestFinal_ex(context.get(), result.data(), &size) == 1 && size == result.size();
  require(good, "BLAKE2s");
  return result;
}

Mac mac(Bytes key, std::initializer_list<Bytes> parts) {
  static const MacAlgorithm algorithm(fetched_mac("BLAKE2SMAC"));
  std::size_t size = std::tuple_size_v<Mac>;
  const std::array parameters{OSSL_PARAM_construct_size_t(OSSL_MAC_PARAM_SIZE, &size),
                              OSSL_PARAM_construct_end()};
  return run_mac<std::tuple_size_v<Mac>>(algorithm.get(), key, parameters.data(), parts);
}

Hash hmac(Bytes key, std::initializer_list<Bytes> parts) {
  static const MacAlgorithm algorithm(fetched_mac("HMAC"));
  std::string digest = "BLAKE2S-256";
  const std::array parameters{
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest.data(), digest.size()),
      OSSL_PARAM_construct_end()};
  return run_mac<std::tuple_size_v<Hash>>(algorithm.get(), key, parameters.data(), parts);
}

template <std::size_t Count>
std::array<SymmetricKey, Count> kdf(Bytes key, Bytes input) {
  static_assert(Count >= 1 && Count <= 3);
  Hash extracted = hmac(key, {input});
  std::array<SymmetricKey, Count> outputs;
  Bytes previous;
  for (std::size_t i = 0; i < Count; ++i) {
    const auto number = static_cast<std::uint8_t>(i + 1);
    Hash output = hmac(extracted, {previous, Bytes(&number, 1)});
    outputs[i] = SymmetricKey(output);
    previous = outputs[i].reveal();
    wipe(output);
  }
  wipe(extracted);
  return outputs;
}
template std::array<SymmetricKey, 1> kdf<1>(Bytes, Bytes);
template std::array<SymmetricKey, 2> kdf<2>(Bytes, Bytes);
template std::array<SymmetricKey, 3> kdf<3>(Bytes, Bytes);

void aead_seal(const SymmetricKey& key, std::uint64_t counter, Bytes associated, Bytes text,
               MutableBytes sealed) {
  require(sealed.size() == text.size() + aead_tag_bytes &&
              crypto_aead_chacha20poly1305_ietf_encrypt(
                  sealed.data(), nullptr, text.data(), text.size(), associated.data(),
                  associated.size(), nullptr, nonce_of(counter).data(), key.reveal().data()) == 0,
          "ChaCha20-Poly1305");
}

bool aead_open(const SymmetricKey& key, std::uint64_t counter, Bytes associated, Bytes sealed,
               MutableBytes text) {
  return sealed.size() == text.size() + aead_tag_bytes &&
         crypto_aead_chacha20poly1305_ietf_decrypt(
             text.data(), nullptr, nullptr, sealed.data(), sealed.size(), associated.data(),
             associated.size(), nonce_of(counter).data(), key.reveal().data()) == 0;
}

void xaead_seal(const SymmetricKey& key, const XNonce& nonce, Bytes associated, Bytes text,
                MutableBytes sealed) {
  require(sealed.size() == text.size() + aead_tag_bytes &&
              crypto_aead_xchacha20poly1305_ietf_encrypt(
                  sealed.data(), nullptr, text.data(), text.size(), associated.data(),
                  associated.size(), nullptr, nonce.data(), key.reveal().data()) == 0,
          "XChaCha20-Poly1305");
}

bool xaead_open(const SymmetricKey& key, const XNonce& nonce, Bytes associated, Bytes sealed,
                MutableBytes text) {
  return sealed.size() == text.size() + aead_tag_bytes &&
         crypto_aead_xchacha20poly1305_ietf_decrypt(
             text.data(), nullptr, nullptr, sealed.data(), sealed.size(), associated.data(),
             associated.size(), nonce.data(), key.reveal().data()) == 0;
}

void PacketCipher::FreeContext::operator()(void* context) const noexcept {
  EVP_CIPHER_CTX_free(cipher_context(context));
}

PacketCipher::PacketCipher(const SymmetricKey& key, Direction direction)
    : context_(EVP_CIPHER_CTX_new()) {
  require(context_ && EVP_CipherInit_ex(cipher_context(context_.get()), chacha20_poly1305(),
                                        nullptr, key.reveal().data(), nullptr,
                                        direction == Direction::seal ? 1 : 0) == 1,
          "ChaCha20-Poly1305");
}

void PacketCipher::seal(std::uint64_t counter, MutableBytes packet) {
  EVP_CIPHER_CTX* context = cipher_context(context_.get());
  const std::size_t text_bytes = packet.size() - aead_tag_bytes;
  const auto nonce = nonce_of(counter);
  int written = 0;
  bool good = EVP_EncryptInit_ex(context, nullptr, nullptr, nullptr, nonce.data()) == 1;
  // OpenSSL wants no empty update: it would take the null pointer for associated data.
  if (text_bytes > 0)
    good = good && EVP_EncryptUpdate(context, packet.data(), &written, packet.data(),
                                     static_cast<int>(text_bytes)) == 1;
  good = good && EVP_EncryptFinal_ex(context, packet.data() + text_bytes, &written) == 1 &&
         EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, aead_tag_bytes,
                             packet.data() + text_bytes) == 1;
  require(good, "ChaCha20-Poly1305");
}

bool PacketCipher::open(std::uint64_t counter, MutableBytes packet) {
  if (packet.size() < aead_tag_bytes) return false;
  EVP_CIPHER_CTX* context = cipher_context(context_.get());
  const std::size_t text_bytes = packet.size() - aead_tag_bytes;
  const auto nonce = nonce_of(counter);
  int written = 0;
  bool good = EVP_DecryptInit_ex(context, nullptr, nullptr, nullptr, nonce.data()) == 1 &&
              EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, aead_tag_bytes,
                                  packet.data() + text_bytes) == 1;
  if (text_bytes > 0)
    good = good && EVP_DecryptUpdate(context, packet.data(), &written, packet.data(),
                                     static_cast<int>(text_bytes)) == 1;
  return good && EVP_DecryptFinal_ex(context, packet.data() + text_bytes, &written) == 1;
}

}  // namespace sidestream::tunnel
