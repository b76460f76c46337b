#include "tunnel/icmp.h"

#include <gtest/gtest.h>

#include <vector>

namespace sidestream::tunnel {
namespace {

// An ICMP message of this type, code and body, rightly summed, between two hosts of the family.
std::vector<std::uint8_t> message(bool v6, std::uint8_t type, std::uint8_t code, Bytes body) {
  const IpAddress from = v6 ? *IpAddress::parse("fd00::2") : *IpAddress::parse("10.0.0.2");
  const IpAddress to = v6 ? *IpAddress::parse("fd00::1") : *IpAddress::parse("10.0.0.1");
  const IpProtocol protocol = v6 ? IpProtocol::icmp_v6 : IpProtocol::icmp_v4;
  const std::size_t headers = ip_header_bytes(from);
  std::vector<std::uint8_t> packet(headers + 4 + body.size());
  write_ip_header(packet, from, to, protocol, packet.size() - headers);
  const MutableBytes icmp = MutableBytes(packet).subspan(headers);
  ByteWriter writer(icmp);
  writer.u8(type);
  writer.u8(code);
  writer.u16(0);
  writer.bytes(body);
  InternetChecksum sum;
  if (v6) sum = pseudo_header_checksum(from, to, protocol, icmp.size());
  sum.add(icmp).store(icmp.subspan(2, 2));
  return packet;
}

// Four bytes of field and a quoted TCP packet of ours.
std::vector<std::uint8_t> quotation(bool v6, std::uint32_t field,
                                    IpProtocol protocol = IpProtocol::tcp) {
  const IpAddress from = v6 ? *IpAddress::parse("fd00::1") : *IpAddress::parse("10.0.0.1");
  const IpAddress to = v6 ? *IpAddress::parse("fd00::9") : *IpAddress::parse("10.0.0.9");
  std::vector<std::uint8_t> bytes(4 + ip_header_bytes(from) + 8);
  ByteWriter writer(bytes);
  writer.u32(field);
  write_ip_header(writer.reserve(ip_header_bytes(from)), from, to, protocol, 1000);
  writer.u16(1111);
  writer.u16(2222);
  writer.u32(3333);
  return bytes;
}

TEST(Icmp, HearsThatAPacketWasTooBig) {
  for (const bool v6 : {false, true}) {
    const auto packet = message(v6, v6 ? 2 : 3, v6 ? 0 : 4, quotation(v6, 1300));
    const auto parsed = parse_icmp(*parse_ip_packet(packet));
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->kind, IcmpMessage::Kind::error);
    EXPECT_EQ(parsed->error.kind, IcmpError::Kind::packet_too_big);
    EXPECT_EQ(parsed->error.mtu, 1300U);
    EXPECT_EQ(parsed->error.local.text(), v6 ? "[fd00::1]:1111" : "10.0.0.1:1111");
    EXPECT_EQ(parsed->error.remote.text(), v6 ? "[fd00::9]:2222" : "10.0.0.9:2222");
    EXPECT_EQ(parsed->error.sequence, 3333U);
  }
}

TEST(Icmp, HearsThatAHostIsUnreachable) {
  for (const bool v6 : {false, true}) {
    const auto packet = message(v6, v6 ? 1 : 3, 1, quotation(v6, 0));
    const auto parsed = parse_icmp(*parse_ip_packet(packet));
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->error.kind, IcmpError::Kind::unreachable);
  }
}

TEST(Icmp, IgnoresWhatIsNoUseToTcp) {
  const auto ignored = [](const std::vector<std::uint8_t>& packet) {
    return !parse_icmp(*parse_ip_packet(packet));
  };
  EXPECT_TRUE(ignored(message(false, 11, 0, quotation(false, 0))));  // time exceeded
  EXPECT_TRUE(ignored(message(true, 3, 0, quotation(true, 0))));
  EXPECT_TRUE(ignored(message(false, 8, 1, quotation(false, 0))));
  EXPECT_TRUE(ignored(message(false, 3, 4, quotation(false, 0, IpProtocol::icmp_v4))));
  EXPECT_TRUE(ignored(message(false, 3, 4, Bytes())));
}

TEST(Icmp, IgnoresWhatIsDamagedOrCut) {
  for (const bool v6 : {false, true}) {
    const auto good = message(v6, v6 ? 2 : 3, v6 ? 0 : 4, quotation(v6, 1300));
    const std::size_t headers = v6 ? 40 : 20;
    for (std::size_t byte = headers; byte < good.size(); ++byte) {
      auto bad = good;
      bad[byte] ^= 1;
      EXPECT_FALSE(parse_icmp(*parse_ip_packet(bad)));
    }
    const auto body = quotation(v6, 1300);
    for (std::size_t length = 0; length < body.size(); ++length)
      EXPECT_FALSE(parse_icmp(
          *parse_ip_packet(message(v6, v6 ? 2 : 3, v6 ? 0 : 4, Bytes(body).first(length)))));
  }
}

TEST(Icmp, HearsTheReplyToItsOwnRequest) {
  for (const bool v6 : {false, true}) {
    const IpAddress us = *IpAddress::parse(v6 ? "fd00::1" : "10.0.0.1");
    const IpAddress them = *IpAddress::parse(v6 ? "fd00::9" : "10.0.0.9");
    std::vector<std::uint8_t> request(1300);
    ASSERT_EQ(write_icmp_echo_request(request, us, them, 0x1234, 7), request.size());
    const auto packet = *parse_ip_packet(request);
    EXPECT_TRUE(is_icmp_echo_request(packet));
    const auto asked = parse_icmp(packet);
    ASSERT_TRUE(asked);
    std::vector<std::uint8_t> reply(1300);
    ASSERT_EQ(write_icmp_echo_reply(reply, packet, asked->echo), reply.size());
    const auto answer = *parse_ip_packet(reply);
    EXPECT_FALSE(is_icmp_echo_request(answer));
    EXPECT_EQ(answer.source, them);
    const auto heard = parse_icmp(answer);
    ASSERT_TRUE(heard);
    EXPECT_EQ(heard->kind, IcmpMessage::Kind::echo_reply);
    ByteReader reader(heard->echo);
    EXPECT_EQ(reader.u16(), 0x1234);
    EXPECT_EQ(reader.u16(), 7);
    EXPECT_EQ(write_icmp_echo_request(MutableBytes(request).first(v6 ? 47 : 27), us, them, 1, 1),
              0U);
  }
}

TEST(Icmp, WritesNoReplyThatDoesNotFit) {
  const std::vector<std::uint8_t> text(100);
  const auto packet = message(false, 8, 0, text);
  const auto ip = *parse_ip_packet(packet);
  const auto request = parse_icmp(ip);
  ASSERT_TRUE(request);
  EXPECT_EQ(request->kind, IcmpMessage::Kind::echo_request);
  std::vector<std::uint8_t> reply(124);
  EXPECT_EQ(write_icmp_echo_reply(reply, ip, request->echo), 124U);
  reply.resize(123);
  EXPECT_EQ(write_icmp_echo_reply(reply, ip, request->echo), 0U);
}

}  // namespace
}  // namespace sidestream::tunnel
