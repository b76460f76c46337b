#include "tunnel/inner_packet.h"

#include <gtest/gtest.h>

#include "tests/support/vectors.h"
#include "tests/support/wireguard_network.h"

namespace sidestream::tunnel {
namespace {

const IpAddress v4_source = *IpAddress::parse("10.0.0.1");
const IpAddress v4_destination = *IpAddress::parse("10.0.0.2");
const IpAddress v6_source = *IpAddress::parse("fd00::1");
const IpAddress v6_destination = *IpAddress::parse("fd00::2");

Ecn ecn_of_json(const boost::json::value& name) {
  const std::string text = text_of_json(name);
  if (text == "not-ect") return Ecn::not_ect;
  if (text == "ect1") return Ecn::ect1;
  if (text == "ect0") return Ecn::ect0;
  EXPECT_EQ(text, "ce");
  return Ecn::ce;
}

TEST(InnerPacket, ReadsBothVersions) {
  auto packet = ipv4_packet(v4_source, v4_destination, "text", 0xb9);
  packet.resize(64);  // padding
  const auto v4 = InnerPacket::parse(packet);
  ASSERT_TRUE(v4);
  EXPECT_EQ(v4->source, v4_source);
  EXPECT_EQ(v4->destination, v4_destination);
  EXPECT_EQ(v4->length, 24U);
  EXPECT_EQ(v4->traffic_class, 0xb9);

  packet = ipv6_packet(v6_source, v6_destination, "text", 0xb9);
  packet.resize(64);
  const auto v6 = InnerPacket::parse(packet);
  ASSERT_TRUE(v6);
  EXPECT_EQ(v6->source, v6_source);
  EXPECT_EQ(v6->destination, v6_destination);
  EXPECT_EQ(v6->length, 44U);
  EXPECT_EQ(v6->traffic_class, 0xb9);
}

TEST(InnerPacket, RefusesWhatDoesNotFit) {
  EXPECT_FALSE(InnerPacket::parse({}));
  for (const bool v6 : {false, true}) {
    const auto good = v6 ? ipv6_packet(v6_source, v6_destination, "text")
                         : ipv4_packet(v4_source, v4_destination, "text");
    for (std::size_t length = 0; length < good.size(); ++length)
      EXPECT_FALSE(InnerPacket::parse(Bytes(good).first(length)));
    for (unsigned version = 0; version < 16; ++version) {
      auto packet = good;
      packet[0] = static_cast<std::uint8_t>((packet[0] & 0xfU) | version << 4U);
      if (version == 4 || version == 6) continue;
      EXPECT_FALSE(InnerPacket::parse(packet));
    }
  }
  auto packet = ipv4_packet(v4_source, v4_destination, "text");
  packet[0] = 0x44;  // header of 16 bytes
  EXPECT_FALSE(InnerPacket::parse(packet));
  packet[0] = 0x4f;  // header of 60 bytes in a packet of 24
  EXPECT_FALSE(InnerPacket::parse(packet));
  packet = ipv4_packet(v4_source, v4_destination, "text");
  packet[3] = 19;
  EXPECT_FALSE(InnerPacket::parse(packet));
}

TEST(Ecn, Outward) {
  const Vector vector = load_vector("wireguard.json", "ecn_encapsulate");
  const auto& inner = vector.inputs.at("inner").as_array();
  ASSERT_EQ(inner.size(), 4U);
  for (std::size_t i = 0; i < inner.size(); ++i)
    EXPECT_EQ(outer_ecn(ecn_of_json(inner[i])), ecn_of_json(vector.expect.at("outer").at(i)));
}

TEST(Ecn, Inward) {
  const Vector vector = load_vector("wireguard.json", "ecn_decapsulate");
  const auto& cases = vector.inputs.at("cases").as_array();
  ASSERT_EQ(cases.size(), 16U);
  for (std::size_t i = 0; i < cases.size(); ++i)
    EXPECT_EQ(inner_ecn(ecn_of_json(cases[i].at("inner")), ecn_of_json(cases[i].at("outer"))),
              ecn_of_json(vector.expect.at("inner_after").at(i)));
}

TEST(Ecn, IsWrittenWithAGoodChecksum) {
  for (unsigned dscp = 0; dscp < 64; ++dscp) {
    for (unsigned before = 0; before < 4; ++before) {
      for (unsigned after = 0; after < 4; ++after) {
        const auto old_class = static_cast<std::uint8_t>(dscp << 2U | before);
        const auto new_class = static_cast<std::uint8_t>(dscp << 2U | after);
        auto packet = ipv4_packet(v4_source, v4_destination, "text", old_class);
        set_ecn(packet, static_cast<Ecn>(after));
        EXPECT_EQ(packet, ipv4_packet(v4_source, v4_destination, "text", new_class));
        packet = ipv6_packet(v6_source, v6_destination, "text", old_class);
        set_ecn(packet, static_cast<Ecn>(after));
        EXPECT_EQ(packet, ipv6_packet(v6_source, v6_destination, "text", new_class));
      }
    }
  }
}

}  // namespace
}  // namespace sidestream::tunnel
