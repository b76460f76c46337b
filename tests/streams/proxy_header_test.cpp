#include "streams/proxy_header.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "streams/proxy_header_parser.h"

namespace sidestream {
namespace {

using Verdict = ProxyHeaderParser::Verdict;

SocketAddress address(std::string_view text) {
  return SocketAddress::parse(text).value();
}

ProxyHeader parsed(Bytes bytes) {
  ProxyHeaderParser parser;
  const auto fed = parser.feed(bytes);
  EXPECT_EQ(fed.verdict, Verdict::header) << parser.why();
  EXPECT_EQ(fed.consumed, bytes.size());
  return parser.header();
}

TEST(ProxyHeaderTest, SerializesV2ByTheBytes) {
  EXPECT_THAT(
      serialize_proxy_v2(address("203.0.113.7:51234"), address("192.0.2.1:443")),
      testing::ElementsAre(0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 'Q', 'U', 'I', 'T', 0x0a, 0x21,
                           0x11, 0, 12, 203, 0, 113, 7, 192, 0, 2, 1, 0xc8, 0x22, 0x01, 0xbb));
  EXPECT_THAT(serialize_proxy_v2_local(),
              testing::ElementsAre(0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 'Q', 'U', 'I', 'T',
                                   0x0a, 0x20, 0, 0, 0));
}

TEST(ProxyHeaderTest, V2IsReadBack) {
  const ServerName name = ServerName::parse("electrum.example.com").value();
  for (const auto& [source, destination] :
       {std::pair{"203.0.113.7:51234", "192.0.2.1:443"},
        std::pair{"[2001:db8::7]:51234", "[2001:db8::1]:443"}}) {
    const ProxyHeader header =
        parsed(serialize_proxy_v2(address(source), address(destination), name));
    EXPECT_EQ(header.version, 2U);
    EXPECT_EQ(header.command, ProxyHeader::Command::proxy);
    EXPECT_EQ(header.source->text(), source);
    EXPECT_EQ(header.destination->text(), destination);
    EXPECT_EQ(header.authority(), "electrum.example.com");
  }
  EXPECT_EQ(parsed(serialize_proxy_v2_local()).command, ProxyHeader::Command::local);
  EXPECT_FALSE(parsed(serialize_proxy_v2_local()).source);
}

TEST(ProxyHeaderTest, V2StaysWithin107Bytes) {
  const auto bytes = [](const char* from, const char* to, std::size_t name_bytes) {
    std::string name;
    while (name.size() < name_bytes) name += name.size() % 2 == 0 ? 'a' : '.';
    if (name.ends_with('.')) name.back() = 'a';
    const auto parsed_name = ServerName::parse(name);
    std::optional<ServerName> authority;
    if (parsed_name) authority = *parsed_name;
    if (!authority) authority = ServerName::parse(std::string(name_bytes, 'a')).value();
    return serialize_proxy_v2(address(from), address(to), authority).size();
  };
  EXPECT_EQ(bytes("192.0.2.1:1", "192.0.2.2:2", 75), 106U);
  EXPECT_EQ(bytes("192.0.2.1:1", "192.0.2.2:2", 77), 28U);
  EXPECT_EQ(bytes("[::1]:1", "[::2]:2", 52), 107U);
  EXPECT_EQ(bytes("[::1]:1", "[::2]:2", 53), 52U);
}

TEST(ProxyHeaderTest, TwoFamiliesAreSentAsIpv6) {
  const ProxyHeader header =
      parsed(serialize_proxy_v2(address("192.0.2.1:1"), address("[2001:db8::1]:2")));
  EXPECT_EQ(header.source->text(), "[::ffff:192.0.2.1]:1");
  EXPECT_EQ(header.source->address.unmapped().text(), "192.0.2.1");
  EXPECT_EQ(header.destination->text(), "[2001:db8::1]:2");
  EXPECT_EQ(serialize_proxy_v1(address("[2001:db8::1]:2"), address("192.0.2.1:1")),
            "PROXY TCP6 2001:db8::1 ::ffff:192.0.2.1 2 1\r\n");
}

TEST(ProxyHeaderTest, V1IsReadBack) {
  const std::string v4 = serialize_proxy_v1(address("203.0.113.7:51234"), address("192.0.2.1:443"));
  EXPECT_EQ(v4, "PROXY TCP4 203.0.113.7 192.0.2.1 51234 443\r\n");
  EXPECT_EQ(parsed(bytes_of(v4)).source->text(), "203.0.113.7:51234");
  const std::string v6 =
      serialize_proxy_v1(address("[2001:db8::7]:1"), address("[2001:db8::1]:65535"));
  EXPECT_EQ(parsed(bytes_of(v6)).destination->text(), "[2001:db8::1]:65535");
  EXPECT_EQ(parsed(bytes_of(v6)).version, 1U);
}

}  // namespace
}  // namespace sidestream
