#include "tunnel/crypto.h"

#include <gtest/gtest.h>

#include "tests/support/seeded_random.h"
#include "tests/support/vectors.h"

namespace sidestream::tunnel {
namespace {

std::vector<std::uint8_t> counting_bytes(std::size_t count) {
  std::vector<std::uint8_t> bytes(count);
  for (std::size_t i = 0; i < count; ++i) bytes[i] = static_cast<std::uint8_t>(i);
  return bytes;
}

template <typename Array>
std::vector<std::uint8_t> list(const Array& bytes) {
  return {bytes.begin(), bytes.end()};
}

PublicKey public_key(Bytes bytes) {
  PublicKey key;
  std::ranges::copy(bytes, key.bytes.begin());
  return key;
}

PrivateKey private_key(std::string_view hex) {
  const auto bytes = bytes_of_hex(hex);
  return PrivateKey(std::span<const std::uint8_t, 32>(bytes));
}

SymmetricKey counting_key() {
  const auto bytes = counting_bytes(32);
  return SymmetricKey(std::span<const std::uint8_t, 32>(bytes));
}

TEST(Crypto, MacIsKeyedBlake2s128) {
  const Vector vector = load_vector("wireguard.json", "blake2s_128_keyed");
  const auto key = bytes_of_json(vector.inputs.at("key"));
  const auto& lengths = vector.inputs.at("lengths").as_array();
  ASSERT_EQ(lengths.size(), 4U);
  for (std::size_t i = 0; i < lengths.size(); ++i) {
    const auto message = counting_bytes(number_of_json(lengths[i]));
    EXPECT_EQ(list(mac(key, {message})), bytes_of_json(vector.expect.at("mac").at(i)));
    const std::size_t half = message.size() / 2;
    EXPECT_EQ(list(mac(key, {Bytes(message).first(half), Bytes(message).subspan(half)})),
              bytes_of_json(vector.expect.at("mac").at(i)));
  }
}

TEST(Crypto, HmacIsNotKeyedBlake2s) {
  const Vector vector = load_vector("wireguard.json", "hmac_blake2s");
  const auto key = bytes_of_json(vector.inputs.at("key"));
  const auto& lengths = vector.inputs.at("lengths").as_array();
  ASSERT_EQ(lengths.size(), 5U);
  for (std::size_t i = 0; i < lengths.size(); ++i)
    EXPECT_EQ(list(hmac(key, {counting_bytes(number_of_json(lengths[i]))})),
              bytes_of_json(vector.expect.at("hmac").at(i)));
}

TEST(Crypto, KdfGivesOneTwoOrThreeOutputs) {
  const Vector vector = load_vector("wireguard.json", "hkdf_blake2s");
  const auto& cases = vector.inputs.at("cases").as_array();
  ASSERT_EQ(cases.size(), 4U);
  for (std::size_t i = 0; i < cases.size(); ++i) {
    const auto key = bytes_of_json(cases[i].at("key"));
    const auto input = bytes_of_json(cases[i].at("input"));
    const auto& expected = vector.expect.at("outputs").at(i).as_array();
    const auto one = kdf<1>(key, input);
    const auto two = kdf<2>(key, input);
    const auto three = kdf<3>(key, input);
    for (std::size_t k = 0; k < 3; ++k)
      EXPECT_EQ(list(three[k].reveal()), bytes_of_json(expected[k]));
    EXPECT_TRUE(one[0] == three[0] && two[0] == three[0] && two[1] == three[1]);
  }
}

TEST(Crypto, HashOfNothingIsThatOfRfc7693) {
  EXPECT_EQ(list(hash({})),
            bytes_of_hex("69217a3079908094e11121d042354a7c1f55b6482ca1a51e1b250dfd1ed0eef9"));
  EXPECT_EQ(list(hash({bytes_of("a"), bytes_of("bc")})),
            bytes_of_hex("508c5e8c327c14e2e1a72ba34eeb452f37458b209ed63a294d999b4c86675982"));
}

TEST(Crypto, LowOrderKeysGiveNoSharedSecret) {
  const Vector vector = load_vector("wireguard.json", "low_order_public_keys");
  SeededRandom random(1);
  const KeyPair own = generate_key_pair(random);
  const auto& keys = vector.inputs.at("hex").as_array();
  const auto& texts = vector.inputs.at("base64").as_array();
  ASSERT_EQ(keys.size(), 7U);
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const PublicKey low = public_key(bytes_of_json(keys[i]));
    EXPECT_EQ(low.text(), text_of_json(texts[i]));
    EXPECT_TRUE(is_low_order(low));
    EXPECT_FALSE(dh(own.private_key, low));
  }
  EXPECT_FALSE(is_low_order(own.public_key));
}

// RFC 7748, section 6.1.
TEST(Crypto, DhAgrees) {
  const KeyPair alice =
      key_pair_of(private_key("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a"));
  const KeyPair bob =
      key_pair_of(private_key("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb"));
  EXPECT_EQ(list(alice.public_key.bytes),
            bytes_of_hex("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a"));
  const auto shared = dh(alice.private_key, bob.public_key);
  ASSERT_TRUE(shared);
  EXPECT_TRUE(*shared == dh(bob.private_key, alice.public_key));
  EXPECT_EQ(list(shared->reveal()),
            bytes_of_hex("4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742"));
}

TEST(Crypto, PrivateKeysAreClamped) {
  const auto ones = std::vector<std::uint8_t>(32, 0xff);
  const KeyPair pair = key_pair_of(PrivateKey(std::span<const std::uint8_t, 32>(ones)));
  EXPECT_EQ(pair.private_key.reveal()[0], 248);
  EXPECT_EQ(pair.private_key.reveal()[31], 127);
}

TEST(Crypto, AeadOpensWhatItSealedAndNothingElse) {
  const SymmetricKey key = counting_key();
  const auto text = counting_bytes(20);
  std::vector<std::uint8_t> sealed(36);
  aead_seal(key, 7, bytes_of("with"), text, sealed);
  std::vector<std::uint8_t> opened(20);
  ASSERT_TRUE(aead_open(key, 7, bytes_of("with"), sealed, opened));
  EXPECT_EQ(opened, text);
  EXPECT_FALSE(aead_open(key, 8, bytes_of("with"), sealed, opened));
  EXPECT_FALSE(aead_open(key, 7, bytes_of("wit"), sealed, opened));
  EXPECT_FALSE(
      aead_open(counting_key(), 7, bytes_of("with"), sealed, MutableBytes(opened).first(19)));
  sealed[3] ^= 1U;
  EXPECT_FALSE(aead_open(key, 7, bytes_of("with"), sealed, opened));
}

// draft-irtf-cfrg-xchacha-03, appendix A.3.1.
TEST(Crypto, XaeadIsXChaCha20Poly1305) {
  const auto key_bytes =
      bytes_of_hex("808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f");
  const SymmetricKey key(std::span<const std::uint8_t, 32>{key_bytes});
  XNonce nonce{};
  for (std::size_t i = 0; i < nonce.size(); ++i) nonce[i] = static_cast<std::uint8_t>(0x40 + i);
  const auto associated = bytes_of_hex("50515253c0c1c2c3c4c5c6c7");
  const std::string_view text =
      "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the "
      "future, sunscreen would be it.";
  std::vector<std::uint8_t> sealed(text.size() + 16);
  xaead_seal(key, nonce, associated, bytes_of(text), sealed);
  EXPECT_EQ(list(Bytes(sealed).last(16)), bytes_of_hex("c0875924c1c7987947deafd8780acf49"));
  std::vector<std::uint8_t> opened(text.size());
  ASSERT_TRUE(xaead_open(key, nonce, associated, sealed, opened));
  EXPECT_EQ(text_of(opened), text);
  nonce[23] ^= 1U;
  EXPECT_FALSE(xaead_open(key, nonce, associated, sealed, opened));
}

TEST(Crypto, PacketCipherIsTheSameAeadInPlace) {
  const SymmetricKey key = counting_key();
  PacketCipher sealer(key, PacketCipher::Direction::seal);
  PacketCipher opener(key, PacketCipher::Direction::open);
  for (const std::size_t length :
       {std::size_t{0}, std::size_t{1}, std::size_t{16}, std::size_t{1420}, std::size_t{9000}}) {
    for (const std::uint64_t counter : {std::uint64_t{0}, std::uint64_t{1} << 40U}) {
      const auto text = counting_bytes(length);
      std::vector<std::uint8_t> expected(length + 16);
      aead_seal(key, counter, {}, text, expected);
      std::vector<std::uint8_t> packet = text;
      packet.resize(length + 16);
      sealer.seal(counter, packet);
      EXPECT_EQ(packet, expected);
      ASSERT_TRUE(opener.open(counter, packet));
      EXPECT_TRUE(std::ranges::equal(Bytes(packet).first(length), text));
      std::vector<std::uint8_t> forged = expected;
      forged[length / 2] ^= 1U;
      EXPECT_FALSE(opener.open(counter, forged));
      std::vector<std::uint8_t> elsewhere = expected;
      EXPECT_FALSE(opener.open(counter + 1, elsewhere));
    }
  }
  std::vector<std::uint8_t> short_packet(15);
  EXPECT_FALSE(opener.open(0, short_packet));
}

}  // namespace
}  // namespace sidestream::tunnel
