#include "tunnel/wireguard_messages.h"

#include <gtest/gtest.h>

#include "tests/support/vectors.h"

namespace sidestream::tunnel {
namespace {

TEST(WireGuardMessages, TypeNeedsReservedZerosAndTheExactLength) {
  const Vector vector = load_vector("wireguard.json", "message_sizes");
  const auto size = [&](const char* name) { return number_of_json(vector.expect.at(name)); };
  EXPECT_EQ(size("initiation"), initiation_bytes);
  EXPECT_EQ(size("response"), response_bytes);
  EXPECT_EQ(size("cookie_reply"), cookie_reply_bytes);
  EXPECT_EQ(size("transport_min"), keepalive_bytes);
  EXPECT_EQ(size("transport_overhead"), transport_header_bytes + aead_tag_bytes);
  EXPECT_EQ(size("keepalive"), keepalive_bytes);

  for (std::size_t length = 0; length < 200; ++length) {
    for (unsigned type = 0; type < 256; ++type) {
      std::vector<std::uint8_t> datagram(length);
      if (length > 0) datagram[0] = static_cast<std::uint8_t>(type);
      const bool good = (type == 1 && length == 148) || (type == 2 && length == 92) ||
                        (type == 3 && length == 64) || (type == 4 && length >= 32);
      ASSERT_EQ(message_type(datagram).has_value(), good) << type << " " << length;
      for (std::size_t reserved = 1; reserved < 4 && good; ++reserved) {
        std::vector<std::uint8_t> spoiled = datagram;
        spoiled[reserved] = 1;
        ASSERT_FALSE(message_type(spoiled));
      }
    }
  }
}

TEST(WireGuardMessages, FieldsStandWhereThePaperPutsThem) {
  const Vector vector = load_vector("wireguard.json", "message_sizes");
  const auto at = [&](const char* message, const char* field) {
    return number_of_json(vector.expect.at("offsets").at(message).at(field));
  };
  const auto number_at = [](Bytes bytes, std::size_t offset) {
    return ByteReader(bytes.subspan(offset)).u32_le();
  };

  Initiation initiation;
  initiation.sender = 0xa1b2c3d4;
  initiation.noise.fill(0x11);
  std::array<std::uint8_t, initiation_bytes> initiation_wire{};
  initiation.serialize(initiation_wire);
  EXPECT_EQ(initiation_wire[at("initiation", "type")], 1);
  EXPECT_EQ(number_at(initiation_wire, at("initiation", "sender")), 0xa1b2c3d4);
  EXPECT_EQ(initiation_wire[at("initiation", "ephemeral") - 1], 0xa1);
  EXPECT_EQ(initiation_wire[at("initiation", "ephemeral")], 0x11);
  EXPECT_EQ(at("initiation", "static"), at("initiation", "ephemeral") + 32);
  EXPECT_EQ(at("initiation", "timestamp"), at("initiation", "static") + 48);
  EXPECT_EQ(initiation_wire[at("initiation", "mac1") - 1], 0x11);
  EXPECT_EQ(initiation_wire[at("initiation", "mac1")], 0);
  EXPECT_EQ(at("initiation", "mac2"), initiation_bytes - 16);
  ASSERT_TRUE(Initiation::parse(initiation_wire));
  EXPECT_EQ(Initiation::parse(initiation_wire)->sender, initiation.sender);
  EXPECT_EQ(Initiation::parse(initiation_wire)->noise, initiation.noise);

  Response response;
  response.sender = 0x01020304;
  response.receiver = 0xa1b2c3d4;
  response.noise.fill(0x22);
  std::array<std::uint8_t, response_bytes> response_wire{};
  response.serialize(response_wire);
  EXPECT_EQ(response_wire[at("response", "type")], 2);
  EXPECT_EQ(number_at(response_wire, at("response", "sender")), response.sender);
  EXPECT_EQ(number_at(response_wire, at("response", "receiver")), response.receiver);
  EXPECT_EQ(response_wire[at("response", "ephemeral")], 0x22);
  EXPECT_EQ(at("response", "empty"), at("response", "ephemeral") + 32);
  EXPECT_EQ(response_wire[at("response", "mac1") - 1], 0x22);
  EXPECT_EQ(response_wire[at("response", "mac1")], 0);
  EXPECT_EQ(at("response", "mac2"), response_bytes - 16);
  ASSERT_TRUE(Response::parse(response_wire));
  EXPECT_EQ(Response::parse(response_wire)->receiver, response.receiver);
  EXPECT_EQ(Response::parse(response_wire)->noise, response.noise);

  CookieReply reply;
  reply.receiver = 0xa1b2c3d4;
  reply.nonce.fill(0x33);
  reply.cookie.fill(0x44);
  std::array<std::uint8_t, cookie_reply_bytes> reply_wire{};
  reply.serialize(reply_wire);
  EXPECT_EQ(reply_wire[at("cookie_reply", "type")], 3);
  EXPECT_EQ(number_at(reply_wire, at("cookie_reply", "receiver")), reply.receiver);
  EXPECT_EQ(reply_wire[at("cookie_reply", "nonce")], 0x33);
  EXPECT_EQ(reply_wire[at("cookie_reply", "cookie")], 0x44);
  EXPECT_EQ(reply_wire[at("cookie_reply", "cookie") - 1], 0x33);
  ASSERT_TRUE(CookieReply::parse(reply_wire));
  EXPECT_EQ(CookieReply::parse(reply_wire)->nonce, reply.nonce);
  EXPECT_EQ(CookieReply::parse(reply_wire)->cookie, reply.cookie);

  std::array<std::uint8_t, keepalive_bytes> transport_wire{};
  TransportHeader{0x01020304, 0x1122334455667788}.serialize(
      std::span(transport_wire).first<transport_header_bytes>());
  EXPECT_EQ(transport_wire[at("transport", "type")], 4);
  EXPECT_EQ(number_at(transport_wire, at("transport", "receiver")), 0x01020304U);
  EXPECT_EQ(transport_wire[at("transport", "counter")], 0x88);
  EXPECT_EQ(at("transport", "payload"), transport_header_bytes);
  ASSERT_TRUE(TransportHeader::parse(transport_wire));
  EXPECT_EQ(TransportHeader::parse(transport_wire)->counter, 0x1122334455667788U);
}

TEST(WireGuardMessages, OneTypeIsNotParsedAsAnother) {
  std::array<std::uint8_t, initiation_bytes> wire{};
  Initiation{}.serialize(wire);
  EXPECT_FALSE(Response::parse(wire));
  EXPECT_FALSE(CookieReply::parse(wire));
  EXPECT_FALSE(TransportHeader::parse(wire));
  wire[0] = 4;
  EXPECT_FALSE(Initiation::parse(wire));
  EXPECT_TRUE(TransportHeader::parse(wire));
}

}  // namespace
}  // namespace sidestream::tunnel
