#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/tcp_transcript.h"
#include "tunnel/icmp.h"
#include "tunnel/internet_checksum.h"

namespace sidestream::tunnel {
namespace {

const IpAddress here = *IpAddress::parse("10.0.0.1");
const IpAddress there = *IpAddress::parse("10.0.0.2");

std::vector<std::uint8_t> syn_packet(const IpAddress& from, const IpAddress& to) {
  TcpSegment segment;
  segment.syn = true;
  segment.source_port = 4000;
  segment.destination_port = TcpTranscript::local_port;
  std::vector<std::uint8_t> packet(200);
  packet.resize(write_tcp_packet(packet, from, to, segment, 0));
  return packet;
}

// ---- resets (RFC 9293 section 3.10.7.1)
// -----------------------------------------------------------

TEST(StackArrival, ResetsWhatIsForNobody) {
  TcpTranscript t;
  t.push("S seq 0");
  t.expect("RA seq 0 ack 1");
  t.push("S seq 0 len 10");
  t.expect("RA seq 0 ack 11");
  t.push("A seq 5 ack 9 len 3");
  t.expect("R seq 9");
  t.push("F seq 5 len 3");
  t.expect("RA seq 0 ack 9");
  t.push("R seq 5");
  t.push("RA seq 5 ack 1");
  t.expect_silence();
}

TEST(StackArrival, AListenerTakesOnlySyns) {
  TcpTranscript t;
  t.listen();
  t.push("R seq 0");
  t.push("F seq 0");
  t.push("- seq 0 len 5");
  t.push("SF seq 0");
  t.expect_silence();
  t.push("A seq 5 ack 77");
  t.expect("R seq 77");
  t.push("SA seq 5 ack 77");
  t.expect("R seq 77");
  EXPECT_EQ(t.stack().connection_count(), 0U);
}

TEST(StackArrival, TakesNoTextFromASyn) {
  TcpTranscript t;
  t.listen();
  t.push("S seq 0 len 10");
  t.expect("SA seq 0 ack 1");
  t.push("A seq 1 ack 1 len 10");  // so it comes again
  EXPECT_EQ(t.read(100), 10U);
}

TEST(StackArrival, RepliesAreBounded) {
  SeededRandom random(1);
  StackConfiguration configuration{.addresses = {here}, .mtu = 1420, .limits = {}};
  configuration.limits.replies_max = 5;
  configuration.limits.connections_max = 1;
  TcpStack stack(configuration, random);
  const auto packet = syn_packet(there, here);
  for (int i = 0; i < 1000; ++i) stack.handle_packet(Instant(1s), packet);
  std::array<std::uint8_t, 1500> buffer{};
  int replies = 0;
  while (stack.poll_transmit(Instant(1s), buffer) != 0) ++replies;
  EXPECT_EQ(replies, 6);
}

// ---- packets that are not for us, or broken
// -------------------------------------------------------

TEST(StackArrival, IgnoresOtherAddresses) {
  TcpTranscript t;
  t.push_packet(syn_packet(there, *IpAddress::parse("10.0.0.3")));
  t.push_packet(syn_packet(here, here));  // "land"
  t.push_packet(syn_packet(*IpAddress::parse("255.255.255.255"), here));
  t.push_packet(syn_packet(*IpAddress::parse("224.0.0.1"), here));
  t.push_packet(syn_packet(*IpAddress::parse("0.0.0.0"), here));
  t.push_packet(syn_packet(*IpAddress::parse("127.0.0.1"), here));
  t.expect_silence();
}

TEST(StackArrival, IgnoresWhatIsDamaged) {
  TcpTranscript t;
  const auto good = syn_packet(there, here);
  for (std::size_t byte = 0; byte < good.size(); ++byte) {
    auto bad = good;
    bad[byte] ^= 0x10;
    t.push_packet(bad);
  }
  for (std::size_t length = 0; length < good.size(); ++length)
    t.push_packet(Bytes(good).first(length));
  t.expect_silence();
  t.push_packet(good);
  EXPECT_FALSE(t.next_segment().empty());
}

TEST(StackArrival, IgnoresWhatFollowsThePacket) {
  TcpTranscript t;
  auto padded = syn_packet(there, here);
  padded.resize(padded.size() + 15, 0xff);
  t.push_packet(padded);
  EXPECT_FALSE(t.next_segment().empty());
}

// ---- ICMP
// -----------------------------------------------------------------------------------------

std::vector<std::uint8_t> echo_request(const IpAddress& from, const IpAddress& to,
                                       std::size_t text_bytes) {
  const bool v4 = from.is_v4();
  const IpProtocol protocol = v4 ? IpProtocol::icmp_v4 : IpProtocol::icmp_v6;
  const std::size_t headers = ip_header_bytes(from);
  std::vector<std::uint8_t> packet(headers + 8 + text_bytes, 0x61);
  const MutableBytes icmp = MutableBytes(packet).subspan(headers);
  write_ip_header(packet, from, to, protocol, icmp.size());
  ByteWriter writer(icmp);
  writer.u8(v4 ? 8 : 128);
  writer.u24(0);
  writer.u32(0x12340001);
  InternetChecksum sum;
  if (!v4) sum = pseudo_header_checksum(from, to, protocol, icmp.size());
  sum.add(icmp).store(icmp.subspan(2, 2));
  return packet;
}

TEST(StackArrival, AnswersEchoRequests) {
  for (const bool v6 : {false, true}) {
    TcpTranscript t({}, v6);
    const IpAddress from = v6 ? *IpAddress::parse("fd00::2") : there;
    const IpAddress to = v6 ? *IpAddress::parse("fd00::1") : here;
    const auto request = echo_request(from, to, 33);
    t.push_packet(request);
    const auto reply = t.next_packet();
    ASSERT_TRUE(reply);
    const auto ip = parse_ip_packet(*reply);
    ASSERT_TRUE(ip);
    EXPECT_EQ(ip->source, to);
    EXPECT_EQ(ip->destination, from);
    EXPECT_EQ(ip->payload[0], v6 ? 129 : 0);
    const std::size_t headers = ip_header_bytes(from);
    EXPECT_TRUE(std::ranges::equal(Bytes(*reply).subspan(headers + 4),
                                   Bytes(request).subspan(headers + 4)));
    InternetChecksum sum;
    if (v6) sum = pseudo_header_checksum(to, from, IpProtocol::icmp_v6, ip->payload.size());
    EXPECT_TRUE(sum.add(ip->payload).good());
  }
}

TEST(StackArrival, DoesNotAnswerEchoRequestsThatAreTooLong) {
  TcpTranscript t;
  t.push_packet(echo_request(there, here, 1040 - 28));
  EXPECT_TRUE(t.next_packet());
  t.push_packet(echo_request(there, here, 1040 - 27));
  EXPECT_FALSE(t.next_packet());
}

TEST(StackArrival, IgnoresErrorsAboutUnknownConnections) {
  TcpTranscript t;
  t.push_icmp_too_big(600, 0);
  t.push_icmp_unreachable(0);
  t.expect_silence();
  t.expect_no_event();
}

}  // namespace
}  // namespace sidestream::tunnel
