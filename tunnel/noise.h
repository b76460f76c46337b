// Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s (sections 5.4.1 to 5.4.5; the Noise Protocol Framework,
// revision 34), both roles. Prologue and payloads are arguments: WireGuard's are its identifier, a
// timestamp in the first message and nothing in the second.
//
// Each step takes the state before a message and gives a new one only when all of the message was
// good; the caller puts that in place of the old. Everything secret wipes itself. Steps fail
// (nullopt) on wrong length, wrong tag and any all-zero shared secret.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "streams/bytes.h"
#include "tunnel/crypto.h"
#include "tunnel/wireguard_keys.h"

namespace sidestream::tunnel {

inline constexpr std::string_view noise_construction = "Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s";
inline constexpr std::string_view wireguard_identifier = "WireGuard v1 zx2c4 Jason@zx2c4.com";

// e, s with its tag, and the payload's tag; e and the payload's tag.
inline constexpr std::size_t noise_initiation_overhead = 32 + (32 + 16) + 16;
inline constexpr std::size_t noise_response_overhead = 32 + 16;

// The symmetric state (framework, section 5.2): chaining key and transcript hash.
struct SymmetricState {
  SymmetricKey chaining_key;
  Hash hash{};

  // Construction, prologue and the responder's static key, which both sides know beforehand. For
  // one responder it is the same for each handshake.
  static SymmetricState begin(Bytes prologue, const PublicKey& responder);

  void mix_hash(Bytes bytes);
  void mix_key(Bytes input);                                   // KDF1
  [[nodiscard]] SymmetricKey mix_key_for_cipher(Bytes input);  // KDF2
  [[nodiscard]] SymmetricKey mix_key_and_hash(Bytes input);    // KDF3
  void seal_and_hash(const SymmetricKey& key, Bytes text, MutableBytes sealed);
  [[nodiscard]] bool open_and_hash(const SymmetricKey& key, Bytes sealed, MutableBytes text);
};

// The keys of a session, from the point of view of the side that derived it.
struct SessionKeys {
  SymmetricKey send;
  SymmetricKey receive;
};

// ---- initiator
// -----------------------------------------------------------------------------------

// Between the two messages.
struct InitiatorState {
  SymmetricState symmetric;
  PrivateKey ephemeral;
};

// `message` is noise_initiation_overhead bytes longer than `payload`. `static_static` is
// dh(own static, responder).
std::optional<InitiatorState> write_noise_initiation(const SymmetricState& begin,
                                                     const KeyPair& own, const PublicKey& responder,
                                                     const SymmetricKey& static_static,
                                                     const KeyPair& ephemeral, Bytes payload,
                                                     MutableBytes message);

struct FinishedHandshake {
  SessionKeys keys;
  Hash transcript;  // the handshake hash
};

// `payload` is noise_response_overhead bytes shorter than `message`.
std::optional<FinishedHandshake> read_noise_response(const InitiatorState& state,
                                                     const KeyPair& own,
                                                     const PresharedKey& preshared_key,
                                                     Bytes message, MutableBytes payload);

// ---- responder
// -----------------------------------------------------------------------------------

// Half of the first message: who sends it. Nothing proves yet that it is true.
struct ClaimedInitiator {
  SymmetricState symmetric;
  PublicKey ephemeral;
  PublicKey initiator;
};
std::optional<ClaimedInitiator> read_noise_initiator(const SymmetricState& begin,
                                                     const KeyPair& own, Bytes message);

// The other half. Between the two messages.
struct ResponderState {
  SymmetricState symmetric;
  PublicKey ephemeral;  // the initiator's
  PublicKey initiator;
};
std::optional<ResponderState> read_noise_initiation(const ClaimedInitiator& claimed,
                                                    const SymmetricKey& static_static,
                                                    Bytes message, MutableBytes payload);

std::optional<FinishedHandshake> write_noise_response(const ResponderState& state,
                                                      const PresharedKey& preshared_key,
                                                      const KeyPair& ephemeral, Bytes payload,
                                                      MutableBytes message);

}  // namespace sidestream::tunnel
