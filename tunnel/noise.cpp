#include "tunnel/noise.h"

#include <algorithm>

namespace sidestream::tunnel {
namespace {

constexpr std::size_t ephemeral_at = 0;
constexpr std::size_t static_at = 32;
constexpr std::size_t initiation_payload_at = 32 + 48;
constexpr std::size_t response_payload_at = 32;

PublicKey public_key_at(Bytes message, std::size_t at) {
  PublicKey key;
  std::ranges::copy(message.subspan(at, 32), key.bytes.begin());
  return key;
}

FinishedHandshake split(const SymmetricState& state, bool initiator) {
  const auto [first, second] = kdf<2>(state.chaining_key.reveal(), {});
  return {initiator ? SessionKeys{first, second} : SessionKeys{second, first}, state.hash};
}

}  // namespace

SymmetricState SymmetricState::begin(Bytes prologue, const PublicKey& responder) {
  SymmetricState state;
  state.hash = tunnel::hash({bytes_of(noise_construction)});
  state.chaining_key = SymmetricKey(state.hash);
  state.mix_hash(prologue);
  state.mix_hash(responder.bytes);  // <- s
  return state;
}

void SymmetricState::mix_hash(Bytes bytes) {
  hash = tunnel::hash({hash, bytes});
}

void SymmetricState::mix_key(Bytes input) {
  chaining_key = kdf<1>(chaining_key.reveal(), input)[0];
}

SymmetricKey SymmetricState::mix_key_for_cipher(Bytes input) {
  const auto outputs = kdf<2>(chaining_key.reveal(), input);
  chaining_key = outputs[0];
  return outputs[1];
}

SymmetricKey SymmetricState::mix_key_and_hash(Bytes input) {
  const auto outputs = kdf<3>(chaining_key.reveal(), input);
  chaining_key = outputs[0];
  mix_hash(outputs[1].reveal());
  return outputs[2];
}

void SymmetricState::seal_and_hash(const SymmetricKey& key, Bytes text, MutableBytes sealed) {
  aead_seal(key, 0, hash, text, sealed);
  mix_hash(sealed);
}

bool SymmetricState::open_and_hash(const SymmetricKey& key, Bytes sealed, MutableBytes text) {
  if (!aead_open(key, 0, hash, sealed, text)) return false;
  mix_hash(sealed);
  return true;
}

// -> e, es, s, ss
std::optional<InitiatorState> write_noise_initiation(const SymmetricState& begin,
                                                     const KeyPair& own, const PublicKey& responder,
                                                     const SymmetricKey& static_static,
                                                     const KeyPair& ephemeral, Bytes payload,
                                                     MutableBytes message) {
  if (message.size() != payload.size() + noise_initiation_overhead || static_static.is_zero())
    return std::nullopt;
  SymmetricState state = begin;
  // e (in a psk pattern it goes into the chaining key too)
  std::ranges::copy(ephemeral.public_key.bytes, message.subspan(ephemeral_at).begin());
  state.mix_hash(ephemeral.public_key.bytes);
  state.mix_key(ephemeral.public_key.bytes);
  // es
  const auto es = dh(ephemeral.private_key, responder);
  if (!es) return std::nullopt;
  SymmetricKey key = state.mix_key_for_cipher(es->reveal());
  // s
  state.seal_and_hash(key, own.public_key.bytes,
                      message.subspan(static_at, initiation_payload_at - static_at));
  // ss
  key = state.mix_key_for_cipher(static_static.reveal());
  state.seal_and_hash(key, payload, message.subspan(initiation_payload_at));
  return InitiatorState{state, ephemeral.private_key};
}

std::optional<ClaimedInitiator> read_noise_initiator(const SymmetricState& begin,
                                                     const KeyPair& own, Bytes message) {
  if (message.size() < noise_initiation_overhead) return std::nullopt;
  ClaimedInitiator claimed{begin, public_key_at(message, ephemeral_at), {}};
  // e
  claimed.symmetric.mix_hash(claimed.ephemeral.bytes);
  claimed.symmetric.mix_key(claimed.ephemeral.bytes);
  // es
  const auto es = dh(own.private_key, claimed.ephemeral);
  if (!es) return std::nullopt;
  const SymmetricKey key = claimed.symmetric.mix_key_for_cipher(es->reveal());
  // s
  if (!claimed.symmetric.open_and_hash(
          key, message.subspan(static_at, initiation_payload_at - static_at),
          claimed.initiator.bytes))
    return std::nullopt;
  return claimed;
}

std::optional<ResponderState> read_noise_initiation(const ClaimedInitiator& claimed,
                                                    const SymmetricKey& static_static,
                                                    Bytes message, MutableBytes payload) {
  if (message.size() != payload.size() + noise_initiation_overhead || static_static.is_zero())
    return std::nullopt;
  ResponderState state{claimed.symmetric, claimed.ephemeral, claimed.initiator};
  // ss
  const SymmetricKey key = state.symmetric.mix_key_for_cipher(static_static.reveal());
  if (!state.symmetric.open_and_hash(key, message.subspan(initiation_payload_at), payload))
    return std::nullopt;
  return state;
}

// <- e, ee, se, psk
std::optional<FinishedHandshake> write_noise_response(const ResponderState& state,
                                                      const PresharedKey& preshared_key,
                                                      const KeyPair& ephemeral, Bytes payload,
                                                      MutableBytes message) {
  if (message.size() != payload.size() + noise_response_overhead) return std::nullopt;
  SymmetricState symmetric = state.symmetric;
  // e
  std::ranges::copy(ephemeral.public_key.bytes, message.subspan(ephemeral_at).begin());
  symmetric.mix_hash(ephemeral.public_key.bytes);
  symmetric.mix_key(ephemeral.public_key.bytes);
  // ee
  const auto ee = dh(ephemeral.private_key, state.ephemeral);
  if (!ee) return std::nullopt;
  symmetric.mix_key(ee->reveal());
  // se
  const auto se = dh(ephemeral.private_key, state.initiator);
  if (!se) return std::nullopt;
  symmetric.mix_key(se->reveal());
  // psk
  const SymmetricKey key = symmetric.mix_key_and_hash(preshared_key.reveal());
  symmetric.seal_and_hash(key, payload, message.subspan(response_payload_at));
  return split(symmetric, false);
}

std::optional<FinishedHandshake> read_noise_response(const InitiatorState& state,
                                                     const KeyPair& own,
                                                     const PresharedKey& preshared_key,
                                                     Bytes message, MutableBytes payload) {
  if (message.size() != payload.size() + noise_response_overhead) return std::nullopt;
  SymmetricState symmetric = state.symmetric;
  const PublicKey responder_ephemeral = public_key_at(message, ephemeral_at);
  // e
  symmetric.mix_hash(responder_ephemeral.bytes);
  symmetric.mix_key(responder_ephemeral.bytes);
  // ee
  const auto ee = dh(state.ephemeral, responder_ephemeral);
  if (!ee) return std::nullopt;
  symmetric.mix_key(ee->reveal());
  // se
  const auto se = dh(own.private_key, responder_ephemeral);
  if (!se) return std::nullopt;
  symmetric.mix_key(se->reveal());
  // psk
  const SymmetricKey key = symmetric.mix_key_and_hash(preshared_key.reveal());
  if (!symmetric.open_and_hash(key, message.subspan(response_payload_at), payload))
    return std::nullopt;
  return split(symmetric, true);
}

}  // namespace sidestream::tunnel
