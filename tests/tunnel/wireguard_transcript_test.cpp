// A whole conversation of two devices, byte by byte as an independent implementation has it.
#include <gtest/gtest.h>

#include <deque>

#include "tests/support/vectors.h"
#include "tunnel/crypto.h"
#include "tunnel/timestamp.h"
#include "tunnel/wireguard_device.h"

namespace sidestream::tunnel {
namespace {

using Verdict = WireGuardDevice::Sealed::Verdict;

constexpr Instant now{std::chrono::hours(1)};

// Gives out what it was told, in order, and then zeros.
class ScriptedRandom final : public RandomSource {
 public:
  void script(std::vector<std::uint8_t> bytes) { scripts_.push_back(std::move(bytes)); }
  // As SessionIndices draws it.
  void script_index(std::uint64_t index) {
    std::vector<std::uint8_t> bytes(8);
    ByteWriter(bytes).u64_le(index);
    script(std::move(bytes));
  }
  void fill(MutableBytes into) override {
    if (scripts_.empty()) {
      std::ranges::fill(into, std::uint8_t{0});
      return;
    }
    ASSERT_EQ(scripts_.front().size(), into.size());
    std::ranges::copy(scripts_.front(), into.begin());
    scripts_.pop_front();
  }

 private:
  std::deque<std::vector<std::uint8_t>> scripts_;
};

template <typename Key>
Key secret(const boost::json::value& hex) {
  const auto bytes = bytes_of_json(hex);
  return Key(std::span<const std::uint8_t, 32>(bytes));
}

PublicKey public_key(const boost::json::value& hex) {
  PublicKey key;
  std::ranges::copy(bytes_of_json(hex), key.bytes.begin());
  return key;
}

std::vector<std::uint8_t> poll(WireGuardDevice& device) {
  std::vector<std::uint8_t> buffer(datagram_bytes_for(1420));
  const auto transmit = device.poll_transmit(now, buffer);
  buffer.resize(transmit ? transmit->datagram_bytes : 0);
  return buffer;
}

std::vector<std::uint8_t> seal(WireGuardDevice& device, const std::vector<std::uint8_t>& inner) {
  std::vector<std::uint8_t> buffer(inner.size() + transport_overhead_max);
  std::ranges::copy(inner, buffer.begin() + transport_header_bytes);
  const auto sealed = device.seal(now, buffer, inner.size());
  EXPECT_EQ(sealed.verdict, Verdict::sealed);
  buffer.resize(sealed.datagram_bytes);
  return buffer;
}

TEST(WireGuardTranscript, HandshakeAndPackets) {
  const Vector handshake = load_vector("wireguard.json", "handshake_full_with_psk");
  const Vector transport = load_vector("wireguard.json", "transport_data");
  const auto& in = handshake.inputs;
  const auto datagram = [&](std::size_t i) {
    return bytes_of_json(transport.expect.at("datagrams").at(i));
  };
  const auto inner = [&](std::size_t i) {
    return bytes_of_json(transport.inputs.at("packets").at(i).at("inner_packet"));
  };
  const SocketAddress left_address = *SocketAddress::parse("192.0.2.1:1");
  const SocketAddress right_address = *SocketAddress::parse("192.0.2.2:2");
  const auto psk = secret<PresharedKey>(in.at("psk"));

  ScriptedRandom left_random;
  WireGuardDevice left(secret<PrivateKey>(in.at("initiator_private")), 1420, left_random);
  const auto right_peer =
      left.add_peer({public_key(in.at("responder_public")),
                     psk,
                     {*IpPrefix::parse("10.9.0.1/32"), *IpPrefix::parse("fd00:9::1/128")},
                     right_address});
  ScriptedRandom right_random;
  WireGuardDevice right(secret<PrivateKey>(in.at("responder_private")), 1420, right_random);
  const auto left_peer =
      right.add_peer({public_key(in.at("initiator_public")),
                      psk,
                      {*IpPrefix::parse("10.9.0.2/32"), *IpPrefix::parse("fd00:9::2/128")},
                      {}});
  ASSERT_TRUE(right_peer && left_peer);

  const auto timestamp_bytes = bytes_of_json(in.at("timestamp"));
  ByteReader timestamp(timestamp_bytes);
  left.set_wall_clock(now, WallTime(std::chrono::seconds(timestamp.u64() - 0x400000000000000a)));
  left_random.script(bytes_of_json(in.at("initiator_ephemeral_private")));
  left_random.script_index(number_of_json(in.at("initiator_index")));
  left.start_handshake(now, *right_peer);
  auto initiation = poll(left);
  EXPECT_EQ(initiation, bytes_of_json(handshake.expect.at("initiation")));

  right_random.script(bytes_of_json(in.at("responder_ephemeral_private")));
  right_random.script_index(number_of_json(in.at("responder_index")));
  EXPECT_FALSE(right.handle_datagram(now, left_address, initiation));
  auto response = poll(right);
  EXPECT_EQ(response, bytes_of_json(handshake.expect.at("response")));

  EXPECT_FALSE(left.handle_datagram(now, right_address, response));
  auto keepalive = poll(left);
  EXPECT_EQ(keepalive, datagram(0));
  EXPECT_TRUE(poll(left).empty());
  EXPECT_FALSE(right.handle_datagram(now, left_address, keepalive));

  auto ipv4 = seal(left, inner(1));
  EXPECT_EQ(ipv4, datagram(1));
  const auto ipv4_received = right.handle_datagram(now, left_address, ipv4);
  ASSERT_TRUE(ipv4_received);
  EXPECT_TRUE(std::ranges::equal(ipv4_received->packet, inner(1)));

  auto ipv6 = seal(right, inner(2));
  EXPECT_EQ(ipv6, datagram(2));
  const auto ipv6_received = left.handle_datagram(now, right_address, ipv6);
  ASSERT_TRUE(ipv6_received);
  EXPECT_TRUE(std::ranges::equal(ipv6_received->packet, inner(2)));

  // Without padding, beyond 32 bits, and the last one there is: whatever a peer may send.
  for (const std::size_t i : {std::size_t{3}, std::size_t{4}, std::size_t{5}}) {
    auto packet = datagram(i);
    const auto received = right.handle_datagram(now, left_address, packet);
    ASSERT_TRUE(received) << i;
    EXPECT_TRUE(std::ranges::equal(received->packet, inner(i)));
    auto again = datagram(i);
    EXPECT_FALSE(right.handle_datagram(now, left_address, again));
  }
  // The window has moved on by far.
  auto old = datagram(1);
  EXPECT_FALSE(right.handle_datagram(now, left_address, old));
}

}  // namespace
}  // namespace sidestream::tunnel
