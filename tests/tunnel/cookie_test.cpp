#include "tunnel/cookie.h"

#include <gtest/gtest.h>

#include <deque>

#include "tests/support/seeded_random.h"
#include "tests/support/vectors.h"

namespace sidestream::tunnel {
namespace {

constexpr Instant start{std::chrono::hours(1)};

// Gives out what it was told, in order.
class ScriptedRandom final : public RandomSource {
 public:
  void script(std::vector<std::uint8_t> bytes) { scripts_.push_back(std::move(bytes)); }
  void fill(MutableBytes into) override {
    ASSERT_FALSE(scripts_.empty());
    ASSERT_EQ(scripts_.front().size(), into.size());
    std::ranges::copy(scripts_.front(), into.begin());
    scripts_.pop_front();
  }

 private:
  std::deque<std::vector<std::uint8_t>> scripts_;
};

struct Cookies : testing::Test {
  Vector vector = load_vector("wireguard.json", "cookie_reply_and_mac2");
  PublicKey responder = key_pair_of(responder_private()).public_key;
  std::vector<std::uint8_t> initiation = bytes_of_json(vector.inputs.at("triggering_initiation"));
  std::vector<std::uint8_t> secret = bytes_of_json(vector.inputs.at("cookie_secret"));
  std::vector<std::uint8_t> nonce = bytes_of_json(vector.inputs.at("reply_nonce"));
  const boost::json::array& sources = vector.inputs.at("sources").as_array();

  PrivateKey responder_private() {
    const auto bytes = bytes_of_json(vector.inputs.at("responder_private"));
    return PrivateKey(std::span<const std::uint8_t, 32>(bytes));
  }
  SocketAddress source(std::size_t i) {
    return {*IpAddress::parse(text_of_json(sources[i].at("address"))),
            static_cast<std::uint16_t>(number_of_json(sources[i].at("port")))};
  }
};

TEST_F(Cookies, Mac1IsChecked) {
  SeededRandom random(1);
  const CookieChecker checker(responder, random);
  EXPECT_TRUE(checker.has_valid_mac1(initiation));
  for (std::size_t at = 0; at < initiation_bytes - 16; ++at) {
    auto spoiled = initiation;
    spoiled[at] ^= 0x80U;
    EXPECT_FALSE(checker.has_valid_mac1(spoiled)) << at;
  }
  const CookieChecker other(generate_key_pair(random).public_key, random);
  EXPECT_FALSE(other.has_valid_mac1(initiation));
}

TEST_F(Cookies, MacsOfTheHandshakeVector) {
  const Vector handshake = load_vector("wireguard.json", "handshake_full_with_psk");
  PublicKey initiator;
  std::ranges::copy(bytes_of_json(handshake.inputs.at("initiator_public")),
                    initiator.bytes.begin());
  const std::pair<PublicKey, const char*> cases[] = {{responder, "initiation"},
                                                     {initiator, "response"}};
  for (const auto& [receiver, name] : cases) {
    const auto expected = bytes_of_json(handshake.expect.at(name));
    auto message = expected;
    std::ranges::fill(MutableBytes(message).last(macs_bytes), std::uint8_t{0xaa});
    CookieJar(receiver).write_macs(start, message);
    EXPECT_EQ(message, expected);
  }
}

TEST_F(Cookies, RepliesAndMac2AreThoseOfTheVector) {
  ASSERT_EQ(sources.size(), 3U);
  for (std::size_t i = 0; i < sources.size(); ++i) {
    ScriptedRandom random;
    random.script(secret);
    random.script(nonce);
    CookieChecker checker(responder, random);
    const CookieReply reply = checker.make_reply(start, source(i), initiation);
    std::array<std::uint8_t, cookie_reply_bytes> wire{};
    reply.serialize(wire);
    EXPECT_EQ(std::vector(wire.begin(), wire.end()),
              bytes_of_json(vector.expect.at("cookie_replies").at(i)));

    CookieJar jar(responder);
    auto message = initiation;
    jar.write_macs(start, message);
    EXPECT_EQ(message, initiation);
    ASSERT_TRUE(jar.take_reply(start, reply));
    jar.write_macs(start, message);
    EXPECT_EQ(message, bytes_of_json(vector.expect.at("initiations_with_mac2").at(i)));

    EXPECT_FALSE(checker.has_valid_mac2(start, source(i), initiation));
    EXPECT_TRUE(checker.has_valid_mac2(start, source(i), message));
    for (std::size_t k = 0; k < sources.size(); ++k)
      EXPECT_EQ(checker.has_valid_mac2(start, source(k), message), k == i);
    // Nor for another secret.
    SeededRandom other_random(7);
    CookieChecker other(responder, other_random);
    other.make_reply(start, source(i), initiation);
    EXPECT_FALSE(other.has_valid_mac2(start, source(i), message));
  }
}

TEST_F(Cookies, CookiesThemselves) {
  for (std::size_t i = 0; i < sources.size(); ++i) {
    const SocketAddress from = source(i);
    const std::array<std::uint8_t, 2> port{static_cast<std::uint8_t>(from.port >> 8U),
                                           static_cast<std::uint8_t>(from.port)};
    const Mac cookie = mac(secret, {from.address.bytes(), port});
    EXPECT_EQ(std::vector(cookie.begin(), cookie.end()),
              bytes_of_json(vector.expect.at("cookies").at(i)));
  }
}

TEST_F(Cookies, AReplyIsTakenOnceAndOnlyForTheLastMessage) {
  SeededRandom random(3);
  CookieChecker checker(responder, random);
  CookieJar jar(responder);
  auto message = initiation;
  const CookieReply early = checker.make_reply(start, source(0), message);
  EXPECT_FALSE(jar.take_reply(start, early));  // nothing was asked
  jar.write_macs(start, message);
  const CookieReply reply = checker.make_reply(start, source(0), message);
  auto forged = reply;
  forged.cookie[0] ^= 1U;
  EXPECT_FALSE(jar.take_reply(start, forged));
  // A forged reply has not used up the message.
  EXPECT_TRUE(jar.take_reply(start, reply));
  EXPECT_FALSE(jar.take_reply(start, reply));
  message[20] ^= 1U;  // another ephemeral key
  jar.write_macs(start, message);
  EXPECT_FALSE(jar.take_reply(start, reply));
}

TEST_F(Cookies, SecretsAndCookiesGrowOld) {
  SeededRandom random(3);
  CookieChecker checker(responder, random);
  CookieJar jar(responder);
  auto message = initiation;
  EXPECT_FALSE(checker.has_valid_mac2(start, source(0), message));
  jar.write_macs(start, message);
  ASSERT_TRUE(jar.take_reply(start, checker.make_reply(start, source(0), message)));
  jar.write_macs(start + 114s, message);
  EXPECT_TRUE(checker.has_valid_mac2(start + 119s, source(0), message));
  EXPECT_FALSE(checker.has_valid_mac2(start + 120s, source(0), message));
  // The sender stops using it a little earlier.
  jar.write_macs(start + 115s, message);
  EXPECT_TRUE(std::ranges::equal(Bytes(message).last(16), std::vector<std::uint8_t>(16)));
  // The next reply comes from a new secret.
  ASSERT_TRUE(jar.take_reply(start + 120s, checker.make_reply(start + 120s, source(0), message)));
  jar.write_macs(start + 121s, message);
  EXPECT_TRUE(checker.has_valid_mac2(start + 121s, source(0), message));
}

}  // namespace
}  // namespace sidestream::tunnel
