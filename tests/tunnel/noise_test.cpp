#include "tunnel/noise.h"

#include <gtest/gtest.h>

#include "tests/support/seeded_random.h"
#include "tests/support/vectors.h"
#include "tunnel/wireguard_messages.h"

namespace sidestream::tunnel {
namespace {

template <typename Array>
std::vector<std::uint8_t> list(const Array& bytes) {
  return {bytes.begin(), bytes.end()};
}

KeyPair key_pair(const boost::json::value& hex) {
  const auto bytes = bytes_of_json(hex);
  return key_pair_of(PrivateKey(std::span<const std::uint8_t, 32>(bytes)));
}

PresharedKey preshared_key(const boost::json::value& hex) {
  const auto bytes = bytes_of_json(hex);
  return PresharedKey(std::span<const std::uint8_t, 32>(bytes));
}

SymmetricState wireguard_state(const PublicKey& responder) {
  return SymmetricState::begin(bytes_of(wireguard_identifier), responder);
}

TEST(Noise, BeginsWithThePapersConstants) {
  const Vector vector = load_vector("wireguard.json", "noise_initial_state");
  EXPECT_EQ(text_of_json(vector.inputs.at("construction")), noise_construction);
  EXPECT_EQ(text_of_json(vector.inputs.at("identifier")), wireguard_identifier);
  const Hash chaining_key = hash({bytes_of(noise_construction)});
  EXPECT_EQ(list(chaining_key), bytes_of_json(vector.expect.at("chaining_key")));
  const Hash before_responder = hash({chaining_key, bytes_of(wireguard_identifier)});
  EXPECT_EQ(list(before_responder), bytes_of_json(vector.expect.at("hash")));
  const PublicKey responder{};
  EXPECT_EQ(list(wireguard_state(responder).chaining_key.reveal()), list(chaining_key));
  EXPECT_EQ(wireguard_state(responder).hash, hash({before_responder, responder.bytes}));
}

TEST(Noise, IKpsk2AsTheFrameworkHasIt) {
  const Vector vector = load_vector("wireguard.json", "noise_IKpsk2_25519_ChaChaPoly_BLAKE2s");
  const auto& inputs = vector.inputs;
  const KeyPair initiator = key_pair(inputs.at("init_static"));
  const KeyPair responder = key_pair(inputs.at("resp_static"));
  EXPECT_EQ(list(responder.public_key.bytes), bytes_of_json(inputs.at("init_remote_static")));
  const auto payload = [&](std::size_t i) { return bytes_of_json(inputs.at("payloads").at(i)); };
  const auto message = [&](std::size_t i) {
    return bytes_of_json(vector.expect.at("messages").at(i));
  };
  const auto begin =
      SymmetricState::begin(bytes_of_json(inputs.at("prologue")), responder.public_key);
  const auto static_static = dh(initiator.private_key, responder.public_key);
  ASSERT_TRUE(static_static);

  std::vector<std::uint8_t> first(payload(0).size() + noise_initiation_overhead);
  const auto initiated =
      write_noise_initiation(begin, initiator, responder.public_key, *static_static,
                             key_pair(inputs.at("init_ephemeral")), payload(0), first);
  ASSERT_TRUE(initiated);
  EXPECT_EQ(first, message(0));

  const auto claimed = read_noise_initiator(begin, responder, first);
  ASSERT_TRUE(claimed);
  EXPECT_EQ(claimed->initiator, initiator.public_key);
  std::vector<std::uint8_t> opened(payload(0).size());
  const auto consumed = read_noise_initiation(*claimed, *static_static, first, opened);
  ASSERT_TRUE(consumed);
  EXPECT_EQ(opened, payload(0));

  std::vector<std::uint8_t> second(payload(1).size() + noise_response_overhead);
  const auto responded =
      write_noise_response(*consumed, preshared_key(inputs.at("psk")),
                           key_pair(inputs.at("resp_ephemeral")), payload(1), second);
  ASSERT_TRUE(responded);
  EXPECT_EQ(second, message(1));
  std::vector<std::uint8_t> opened_second(payload(1).size());
  const auto finished = read_noise_response(*initiated, initiator, preshared_key(inputs.at("psk")),
                                            second, opened_second);
  ASSERT_TRUE(finished);
  EXPECT_EQ(opened_second, payload(1));

  EXPECT_EQ(list(finished->transcript), bytes_of_json(vector.expect.at("handshake_hash")));
  EXPECT_EQ(finished->transcript, responded->transcript);
  EXPECT_EQ(list(finished->keys.send.reveal()),
            bytes_of_json(vector.expect.at("initiator_to_responder_key")));
  EXPECT_EQ(list(finished->keys.receive.reveal()),
            bytes_of_json(vector.expect.at("responder_to_initiator_key")));
  EXPECT_TRUE(finished->keys.send == responded->keys.receive);
  EXPECT_TRUE(finished->keys.receive == responded->keys.send);

  for (std::size_t i = 2; i < 6; ++i) {
    const bool from_initiator = i % 2 == 0;
    const SessionKeys& keys = from_initiator ? finished->keys : responded->keys;
    std::vector<std::uint8_t> packet = payload(i);
    packet.resize(packet.size() + aead_tag_bytes);
    PacketCipher(keys.send, PacketCipher::Direction::seal).seal((i - 2) / 2, packet);
    EXPECT_EQ(packet, message(i));
  }
}

struct NoiseWithWireGuard : testing::Test {
  Vector vector = load_vector("wireguard.json", "handshake_full_with_psk");
  KeyPair initiator = key_pair(vector.inputs.at("initiator_private"));
  KeyPair responder = key_pair(vector.inputs.at("responder_private"));
  KeyPair initiator_ephemeral = key_pair(vector.inputs.at("initiator_ephemeral_private"));
  KeyPair responder_ephemeral = key_pair(vector.inputs.at("responder_ephemeral_private"));
  PresharedKey psk = preshared_key(vector.inputs.at("psk"));
  std::vector<std::uint8_t> timestamp = bytes_of_json(vector.inputs.at("timestamp"));
  SymmetricState begin = wireguard_state(responder.public_key);
  SymmetricKey static_static = *dh(initiator.private_key, responder.public_key);
  std::vector<std::uint8_t> initiation = bytes_of_json(vector.expect.at("initiation"));
  std::vector<std::uint8_t> response = bytes_of_json(vector.expect.at("response"));
};

TEST_F(NoiseWithWireGuard, BothMessagesAndAllKeysAreThoseOfTheVector) {
  const auto expected = [&](const char* name) { return bytes_of_json(vector.expect.at(name)); };
  EXPECT_EQ(list(initiator.public_key.bytes), bytes_of_json(vector.inputs.at("initiator_public")));
  EXPECT_EQ(list(responder.public_key.bytes), bytes_of_json(vector.inputs.at("responder_public")));
  EXPECT_EQ(list(initiator_ephemeral.public_key.bytes),
            bytes_of_json(vector.inputs.at("initiator_ephemeral_public")));
  EXPECT_EQ(list(responder_ephemeral.public_key.bytes),
            bytes_of_json(vector.inputs.at("responder_ephemeral_public")));

  Initiation first;
  first.sender = static_cast<std::uint32_t>(number_of_json(vector.inputs.at("initiator_index")));
  const auto initiated =
      write_noise_initiation(begin, initiator, responder.public_key, static_static,
                             initiator_ephemeral, timestamp, first.noise);
  ASSERT_TRUE(initiated);
  std::array<std::uint8_t, initiation_bytes> first_wire{};
  first.serialize(first_wire);
  EXPECT_TRUE(std::ranges::equal(Bytes(first_wire).first(116), Bytes(initiation).first(116)));
  EXPECT_EQ(list(initiated->symmetric.hash), expected("hash_after_initiation"));
  EXPECT_EQ(list(initiated->symmetric.chaining_key.reveal()),
            expected("chaining_key_after_initiation"));

  const auto received = Initiation::parse(initiation);
  ASSERT_TRUE(received);
  const auto claimed = read_noise_initiator(begin, responder, received->noise);
  ASSERT_TRUE(claimed);
  EXPECT_EQ(claimed->initiator, initiator.public_key);
  std::vector<std::uint8_t> opened(12);
  const auto consumed = read_noise_initiation(*claimed, static_static, received->noise, opened);
  ASSERT_TRUE(consumed);
  EXPECT_EQ(opened, timestamp);
  EXPECT_EQ(list(consumed->symmetric.hash), expected("hash_after_initiation"));

  Response second;
  second.sender = static_cast<std::uint32_t>(number_of_json(vector.inputs.at("responder_index")));
  second.receiver = received->sender;
  const auto responded =
      write_noise_response(*consumed, psk, responder_ephemeral, {}, second.noise);
  ASSERT_TRUE(responded);
  std::array<std::uint8_t, response_bytes> second_wire{};
  second.serialize(second_wire);
  EXPECT_TRUE(std::ranges::equal(Bytes(second_wire).first(60), Bytes(response).first(60)));

  const auto answer = Response::parse(response);
  ASSERT_TRUE(answer);
  const auto finished = read_noise_response(*initiated, initiator, psk, answer->noise, {});
  ASSERT_TRUE(finished);
  EXPECT_EQ(list(finished->transcript), expected("final_hash"));
  EXPECT_EQ(list(finished->keys.send.reveal()), expected("initiator_send_key"));
  EXPECT_EQ(list(finished->keys.receive.reveal()), expected("responder_send_key"));
  EXPECT_TRUE(responded->keys.send == finished->keys.receive);
  EXPECT_TRUE(responded->keys.receive == finished->keys.send);
  EXPECT_EQ(responded->transcript, finished->transcript);
}

TEST_F(NoiseWithWireGuard, IntermediateKeysAreThoseOfTheVector) {
  SymmetricState state = begin;
  state.mix_hash(initiator_ephemeral.public_key.bytes);
  state.mix_key(initiator_ephemeral.public_key.bytes);
  const auto es = dh(initiator_ephemeral.private_key, responder.public_key);
  const SymmetricKey for_static = state.mix_key_for_cipher(es->reveal());
  EXPECT_EQ(list(for_static.reveal()), bytes_of_json(vector.expect.at("es_key_for_static")));
  const SymmetricKey for_timestamp = state.mix_key_for_cipher(static_static.reveal());
  EXPECT_EQ(list(for_timestamp.reveal()), bytes_of_json(vector.expect.at("ss_key_for_timestamp")));
  // The chaining key before the split.
  state = wireguard_state(responder.public_key);
  std::array<std::uint8_t, 108> message{};
  const auto initiated =
      write_noise_initiation(begin, initiator, responder.public_key, static_static,
                             initiator_ephemeral, timestamp, message);
  ASSERT_TRUE(initiated);
  state = initiated->symmetric;
  state.mix_key(responder_ephemeral.public_key.bytes);
  state.mix_key(dh(initiator_ephemeral.private_key, responder_ephemeral.public_key)->reveal());
  state.mix_key(dh(initiator.private_key, responder_ephemeral.public_key)->reveal());
  EXPECT_EQ(state.mix_key_and_hash(psk.reveal()).is_zero(), false);
  EXPECT_EQ(list(state.chaining_key.reveal()),
            bytes_of_json(vector.expect.at("final_chaining_key")));
}

TEST_F(NoiseWithWireGuard, EachFlippedBitOfTheInitiationIsNoticed) {
  const auto good = Initiation::parse(initiation);
  for (std::size_t at = 0; at < good->noise.size(); ++at) {
    auto noise = good->noise;
    noise[at] ^= 0x10U;
    const auto claimed = read_noise_initiator(begin, responder, noise);
    if (!claimed) {
      EXPECT_LT(at, 80U);
      continue;
    }
    EXPECT_GE(at, 80U);
    std::array<std::uint8_t, 12> opened{};
    EXPECT_FALSE(read_noise_initiation(*claimed, static_static, noise, opened));
  }
}

TEST_F(NoiseWithWireGuard, EachFlippedBitOfTheResponseIsNoticed) {
  std::array<std::uint8_t, 108> message{};
  const auto initiated =
      write_noise_initiation(begin, initiator, responder.public_key, static_static,
                             initiator_ephemeral, timestamp, message);
  const auto good = Response::parse(response);
  for (std::size_t at = 0; at < good->noise.size(); ++at) {
    auto noise = good->noise;
    noise[at] ^= 0x10U;
    EXPECT_FALSE(read_noise_response(*initiated, initiator, psk, noise, {}));
  }
  // A refused message changed nothing: the good one still works.
  EXPECT_TRUE(read_noise_response(*initiated, initiator, psk, good->noise, {}));
  PresharedKey other = psk;
  other.reveal()[0] ^= 1U;
  EXPECT_FALSE(read_noise_response(*initiated, initiator, other, good->noise, {}));
}

TEST_F(NoiseWithWireGuard, LowOrderKeysAreRefusedInEachPlace) {
  const Vector low = load_vector("wireguard.json", "low_order_public_keys");
  for (const auto& hex : low.inputs.at("hex").as_array()) {
    PublicKey key;
    std::ranges::copy(bytes_of_json(hex), key.bytes.begin());
    std::array<std::uint8_t, 108> message{};
    // As the responder's static key: es.
    EXPECT_FALSE(write_noise_initiation(begin, initiator, key, static_static, initiator_ephemeral,
                                        timestamp, message));
    // As static-static.
    EXPECT_FALSE(write_noise_initiation(begin, initiator, responder.public_key, SymmetricKey{},
                                        initiator_ephemeral, timestamp, message));
    // As the ephemeral of an initiation.
    auto noise = Initiation::parse(initiation)->noise;
    std::ranges::copy(key.bytes, noise.begin());
    EXPECT_FALSE(read_noise_initiator(begin, responder, noise));
    // As the ephemeral of a response: ee.
    const auto initiated =
        write_noise_initiation(begin, initiator, responder.public_key, static_static,
                               initiator_ephemeral, timestamp, message);
    auto answer = Response::parse(response)->noise;
    std::ranges::copy(key.bytes, answer.begin());
    EXPECT_FALSE(read_noise_response(*initiated, initiator, psk, answer, {}));
    // On the responder: ee and se.
    std::array<std::uint8_t, 48> written{};
    EXPECT_FALSE(write_noise_response({begin, key, initiator.public_key}, psk, responder_ephemeral,
                                      {}, written));
    EXPECT_FALSE(write_noise_response({begin, initiator_ephemeral.public_key, key}, psk,
                                      responder_ephemeral, {}, written));
  }
}

TEST_F(NoiseWithWireGuard, WrongLengthsAreRefused) {
  std::vector<std::uint8_t> message(107);
  EXPECT_FALSE(write_noise_initiation(begin, initiator, responder.public_key, static_static,
                                      initiator_ephemeral, timestamp, message));
  EXPECT_FALSE(read_noise_initiator(begin, responder, Bytes(message).first(95)));
  const auto claimed = read_noise_initiator(begin, responder, Initiation::parse(initiation)->noise);
  ASSERT_TRUE(claimed);
  std::array<std::uint8_t, 11> opened{};
  EXPECT_FALSE(
      read_noise_initiation(*claimed, static_static, Initiation::parse(initiation)->noise, opened));
}

}  // namespace
}  // namespace sidestream::tunnel
