// The cryptographic functions of the WireGuard paper (section 5.4) under its names: DH, HASH, MAC,
// HMAC, KDF, AEAD, XAEAD, and the cipher of the data channel. Values in, values out; randomness is
// always an argument.
//
// X25519, XChaCha20-Poly1305 and small messages are libsodium's, BLAKE2s and the data channel are
// OpenSSL's (conventions: this file is the one door to both in this folder). A failure of a
// library itself (no memory, no BLAKE2s in the configured providers) throws std::runtime_error;
// nothing that came from the network does.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>

#include "streams/bytes.h"
#include "streams/random.h"
#include "streams/secret.h"
#include "tunnel/wireguard_keys.h"
#include "tunnel/wireguard_limits.h"

namespace sidestream::tunnel {

using Hash = std::array<std::uint8_t, 32>;
using Mac = std::array<std::uint8_t, 16>;
using SymmetricKey = Secret<32>;
using XNonce = std::array<std::uint8_t, 24>;

// ---- DH (X25519, RFC 7748) ---------------------------------------------------------------------

struct KeyPair {
  PrivateKey private_key;
  PublicKey public_key;
};

// Makes the public key too; `private_key` is clamped first.
KeyPair key_pair_of(const PrivateKey& private_key);
KeyPair generate_key_pair(RandomSource& random);
// nullopt when the result would be all zero, which a low-order public key causes: such a handshake
// must be given up.
std::optional<SymmetricKey> dh(const PrivateKey& private_key, const PublicKey& public_key);
// Whether dh fails with every private key.
bool is_low_order(const PublicKey& public_key);

// ---- HASH, MAC, HMAC, KDF (BLAKE2s, RFC 7693; HMAC, RFC 2104; HKDF, RFC 5869) ------------------

// Of the concatenation of all parts.
Hash hash(std::initializer_list<Bytes> parts);
// BLAKE2s keyed, 16 bytes; the key is 1 to 32 bytes long.
Mac mac(Bytes key, std::initializer_list<Bytes> parts);
Hash hmac(Bytes key, std::initializer_list<Bytes> parts);
// The first `Count` outputs of the paper's KDF_n; `Count` is 1, 2 or 3.
template <std::size_t Count>
std::array<SymmetricKey, Count> kdf(Bytes key, Bytes input);

// ---- AEAD (ChaCha20-Poly1305, RFC 8439), nonce: 32 zero bits and the counter little-endian ------

// `sealed` gets text.size() + aead_tag_bytes bytes.
void aead_seal(const SymmetricKey& key, std::uint64_t counter, Bytes associated, Bytes text,
               MutableBytes sealed);
// `text` gets sealed.size() - aead_tag_bytes bytes, or false is returned and nothing is written.
bool aead_open(const SymmetricKey& key, std::uint64_t counter, Bytes associated, Bytes sealed,
               MutableBytes text);

// ---- XAEAD (XChaCha20-Poly1305)
// ------------------------------------------------------------------

void xaead_seal(const SymmetricKey& key, const XNonce& nonce, Bytes associated, Bytes text,
                MutableBytes sealed);
bool xaead_open(const SymmetricKey& key, const XNonce& nonce, Bytes associated, Bytes sealed,
                MutableBytes text);

// ---- the data channel
// ----------------------------------------------------------------------------

// AEAD without associated data under one key, in place, without allocating per packet. One object
// for each direction. The key is wiped with it.
class PacketCipher {
 public:
  enum class Direction { seal, open };
  PacketCipher(const SymmetricKey& key, Direction direction);

  // The last aead_tag_bytes bytes of `packet` become the tag of what stands before them.
  void seal(std::uint64_t counter, MutableBytes packet);
  // False when the tag is wrong; the bytes are garbage then.
  bool open(std::uint64_t counter, MutableBytes packet);

 private:
  struct FreeContext {
    void operator()(void* context) const noexcept;
  };
  std::unique_ptr<void, FreeContext> context_;
};

}  // namespace sidestream::tunnel
