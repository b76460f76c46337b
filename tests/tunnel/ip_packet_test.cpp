#include "tunnel/ip_packet.h"

#include <gtest/gtest.h>

#include <vector>

namespace sidestream::tunnel {
namespace {

std::vector<std::uint8_t> packet(bool v6, std::size_t payload_bytes) {
  const IpAddress from = v6 ? *IpAddress::parse("fd00::1") : *IpAddress::parse("10.1.2.3");
  const IpAddress to = v6 ? *IpAddress::parse("fd00::2") : *IpAddress::parse("192.0.2.9");
  std::vector<std::uint8_t> bytes(ip_header_bytes(from) + payload_bytes, 0x55);
  write_ip_header(bytes, from, to, IpProtocol::tcp, payload_bytes);
  return bytes;
}

void fix_checksum(std::vector<std::uint8_t>& bytes) {
  bytes[10] = bytes[11] = 0;
  InternetChecksum().add(Bytes(bytes).first(20)).store(MutableBytes(bytes).subspan(10, 2));
}

TEST(IpPacket, ReadsWhatItWrites) {
  for (const bool v6 : {false, true}) {
    const auto parsed = parse_ip_packet(packet(v6, 30));
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->source.text(), v6 ? "fd00::1" : "10.1.2.3");
    EXPECT_EQ(parsed->destination.text(), v6 ? "fd00::2" : "192.0.2.9");
    EXPECT_EQ(parsed->protocol, 6);
    EXPECT_EQ(parsed->payload.size(), 30U);
  }
}

TEST(IpPacket, WritesTheHeaderThatOthersWrite) {
  const std::vector<std::uint8_t> expected = {0x45, 0x00, 0x00, 0x3c, 0x00, 0x00, 0x40,
                                              0x00, 0x40, 0x06, 0x6c, 0xaf, 10,   1,
                                              2,    3,    192,  0,    2,    9};
  auto bytes = packet(false, 40);
  bytes.resize(20);
  EXPECT_EQ(bytes, expected);
}

TEST(IpPacket, CutsWhatFollows) {
  for (const bool v6 : {false, true}) {
    auto bytes = packet(v6, 30);
    bytes.resize(bytes.size() + 11);
    EXPECT_EQ(parse_ip_packet(bytes)->payload.size(), 30U);
  }
}

TEST(IpPacket, RefusesWhatIsCutShort) {
  for (const bool v6 : {false, true}) {
    const auto bytes = packet(v6, 30);
    for (std::size_t length = 0; length < bytes.size(); ++length)
      EXPECT_FALSE(parse_ip_packet(Bytes(bytes).first(length)));
  }
}

TEST(IpPacket, RefusesOptionsAndFragments) {
  auto options = packet(false, 30);
  options[0] = 0x46;
  EXPECT_EQ(parse_ip_packet(options).error(), IpPacketError::header);
  for (const unsigned field : {0x2000U, 0x0001U, 0x1fffU}) {
    auto fragment = packet(false, 30);
    fragment[6] = static_cast<std::uint8_t>(field >> 8U);
    fragment[7] = static_cast<std::uint8_t>(field);
    fix_checksum(fragment);
    EXPECT_EQ(parse_ip_packet(fragment).error(), IpPacketError::fragment);
  }
}

TEST(IpPacket, RefusesABadChecksumAndABadVersion) {
  auto bytes = packet(false, 30);
  bytes[8] = 3;
  EXPECT_EQ(parse_ip_packet(bytes).error(), IpPacketError::checksum);
  bytes[0] = 0x55;
  EXPECT_EQ(parse_ip_packet(bytes).error(), IpPacketError::version);
}

TEST(IpPacket, RefusesALengthBelowItsHeader) {
  auto bytes = packet(false, 30);
  bytes[3] = 19;
  fix_checksum(bytes);
  EXPECT_EQ(parse_ip_packet(bytes).error(), IpPacketError::header);
}

TEST(IpPacket, RefusesSourcesThatCannotBeAnswered) {
  for (const char* source : {"0.0.0.0", "127.0.0.1", "224.0.0.251", "255.255.255.255", "240.0.0.1",
                             "::", "::1", "ff02::1"}) {
    const IpAddress from = *IpAddress::parse(source);
    const IpAddress to =
        from.is_v4() ? *IpAddress::parse("10.0.0.1") : *IpAddress::parse("fd00::1");
    std::vector<std::uint8_t> bytes(ip_header_bytes(from) + 8);
    write_ip_header(bytes, from, to, IpProtocol::tcp, 8);
    EXPECT_EQ(parse_ip_packet(bytes).error(), IpPacketError::address) << source;
  }
}

TEST(IpPacket, ReadsAQuotedPacketThatIsCutShort) {
  for (const bool v6 : {false, true}) {
    auto bytes = packet(v6, 1000);
    bytes.resize(bytes.size() - 992);
    if (!v6) bytes[8] = 1;  // a router counted the hops and left the checksum
    const auto quoted = parse_quoted_ip_packet(bytes);
    ASSERT_TRUE(quoted);
    EXPECT_EQ(quoted->payload.size(), 8U);
  }
}

}  // namespace
}  // namespace sidestream::tunnel
