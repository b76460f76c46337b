#include "tunnel/keypair.h"

#include <gtest/gtest.h>

#include "tests/support/seeded_random.h"
#include "tests/support/vectors.h"
#include "tunnel/wireguard_messages.h"

namespace sidestream::tunnel {
namespace {

constexpr Instant start{std::chrono::hours(1)};

SymmetricKey symmetric_key(const boost::json::value& hex) {
  const auto bytes = bytes_of_json(hex);
  return SymmetricKey(std::span<const std::uint8_t, 32>(bytes));
}

struct Transport : testing::Test {
  Vector vector = load_vector("wireguard.json", "transport_data");
  SessionKeys initiator{symmetric_key(vector.inputs.at("initiator_send_key")),
                        symmetric_key(vector.inputs.at("responder_send_key"))};
  SessionKeys responder{initiator.receive, initiator.send};

  static Keypair keypair(const SessionKeys& keys, std::uint32_t remote, bool is_initiator,
                         std::uint64_t first_counter = 0) {
    return {{SessionIndex{}, remote}, keys, start, is_initiator, first_counter};
  }
};

TEST_F(Transport, SealsAndOpensTheVectors) {
  const auto& packets = vector.inputs.at("packets").as_array();
  ASSERT_EQ(packets.size(), 6U);
  for (std::size_t i = 0; i < packets.size(); ++i) {
    const auto& packet = packets[i].as_object();
    const bool from_initiator = text_of_json(packet.at("sender")) == "initiator";
    const auto remote = static_cast<std::uint32_t>(number_of_json(packet.at("receiver_index")));
    const std::uint64_t counter = number_of_json(packet.at("counter"));
    const auto inner = bytes_of_json(packet.at("inner_packet"));
    const std::size_t text_bytes = number_of_json(packet.at("plaintext_len"));
    const auto expected = bytes_of_json(vector.expect.at("datagrams").at(i));

    std::vector<std::uint8_t> datagram(keepalive_bytes + text_bytes);
    std::ranges::copy(inner, datagram.begin() + transport_header_bytes);
    Keypair sender =
        keypair(from_initiator ? initiator : responder, remote, from_initiator, counter);
    ASSERT_TRUE(sender.can_send(start));
    sender.seal(datagram);
    EXPECT_EQ(datagram, expected);

    const auto header = TransportHeader::parse(datagram);
    ASSERT_TRUE(header);
    EXPECT_EQ(header->receiver, remote);
    EXPECT_EQ(header->counter, counter);
    Keypair receiver = keypair(from_initiator ? responder : initiator, 0, !from_initiator);
    const auto text = receiver.open(header->counter, datagram);
    ASSERT_TRUE(text);
    EXPECT_EQ(text->size(), text_bytes);
    EXPECT_TRUE(std::ranges::equal(text->first(inner.size()), inner));
    std::vector<std::uint8_t> replayed = expected;
    EXPECT_FALSE(receiver.open(header->counter, replayed));
  }
}

TEST_F(Transport, ForgeriesChangeNothing) {
  Keypair sender = keypair(initiator, 1, true);
  Keypair receiver = keypair(responder, 2, false);
  std::vector<std::uint8_t> datagram(keepalive_bytes + 16);
  sender.seal(datagram);
  for (std::size_t at = transport_header_bytes; at < datagram.size(); ++at) {
    auto forged = datagram;
    forged[at] ^= 1U;
    EXPECT_FALSE(receiver.open(0, forged));
  }
  auto moved = datagram;
  EXPECT_FALSE(receiver.open(1, moved));
  // A forged counter far ahead has not moved the window.
  auto ahead = datagram;
  EXPECT_FALSE(receiver.open(1'000'000, ahead));
  EXPECT_TRUE(receiver.open(0, datagram));
}

TEST_F(Transport, CountersRunOut) {
  Keypair last = keypair(initiator, 1, true, reject_after_messages - 1);
  EXPECT_TRUE(last.can_send(start));
  std::vector<std::uint8_t> datagram(keepalive_bytes);
  last.seal(datagram);
  EXPECT_FALSE(last.can_send(start));
  Keypair receiver = keypair(responder, 2, false);
  EXPECT_FALSE(receiver.open(reject_after_messages, datagram));

  Keypair many = keypair(responder, 1, false, rekey_after_messages);
  EXPECT_FALSE(many.wants_rekey_on_send(start));
  many.seal(datagram);
  EXPECT_TRUE(many.wants_rekey_on_send(start));
}

TEST_F(Transport, AgesAsThePaperSays) {
  const Keypair ours = keypair(initiator, 1, true);
  EXPECT_FALSE(ours.wants_rekey_on_send(start + 120s - 1ns));
  EXPECT_TRUE(ours.wants_rekey_on_send(start + 120s));
  EXPECT_FALSE(ours.wants_rekey_on_receive(start + 165s - 1ns));
  EXPECT_TRUE(ours.wants_rekey_on_receive(start + 165s));
  EXPECT_TRUE(ours.can_send(start + 180s - 1ns));
  EXPECT_FALSE(ours.can_send(start + 180s));
  EXPECT_TRUE(ours.can_receive(start + 180s - 1ns));
  EXPECT_FALSE(ours.can_receive(start + 180s));
  // The responder leaves it to the initiator.
  const Keypair theirs = keypair(responder, 1, false);
  EXPECT_FALSE(theirs.wants_rekey_on_send(start + 179s));
  EXPECT_FALSE(theirs.wants_rekey_on_receive(start + 179s));
}

}  // namespace
}  // namespace sidestream::tunnel
