#include "cli/dns_message.h"

#include <gtest/gtest.h>

namespace sidestream::cli {
namespace {

const ServerName name = *ServerName::parse("a.example.com");

// The answer to a query: its header changed, and records behind it.
std::vector<std::uint8_t> answer_with(DnsType type, const std::vector<std::string>& contents,
                                      unsigned code = 0) {
  auto bytes = serialize_dns_query(7, name, type);
  bytes.resize(bytes.size() - 11);  // without OPT
  bytes[2] = 0x81;
  bytes[3] = static_cast<std::uint8_t>(0x80U | code);
  bytes[7] = static_cast<std::uint8_t>(contents.size());
  bytes[11] = 0;
  for (const std::string& content : contents) {
    const auto kind = static_cast<unsigned>(type);
    for (const unsigned byte : {0xc0U, 12U, kind >> 8U, kind & 0xffU, 0U, 1U, 0U, 0U, 0U, 60U, 0U,
                                static_cast<unsigned>(content.size())})
      bytes.push_back(static_cast<std::uint8_t>(byte));
    bytes.insert(bytes.end(), content.begin(), content.end());
  }
  return bytes;
}

TEST(DnsMessage, AsksWithRoomForLongAnswers) {
  const auto query = serialize_dns_query(0x1234, name, DnsType::caa);
  const std::vector<std::uint8_t> wanted{
      0x12, 0x34, 1,   0,   0,   1, 0, 0, 0, 0, 0, 1, 1,  'a', 7,    'e', 'x', 'a', 'm', 'p', 'l',
      'e',  3,    'c', 'o', 'm', 0, 1, 1, 0, 1, 0, 0, 41, 4,   0xd0, 0,   0,   0,   0,   0,   0};
  EXPECT_EQ(query, wanted);
}

TEST(DnsMessage, ReadsRecords) {
  const auto caa = parse_dns_answer(
      answer_with(DnsType::caa, {std::string("\x00\x05issueca.test;a=b", 18),
                                 std::string("\x80\x05IODEFx", 8), std::string("\x00\x00", 2)}),
      7, name, DnsType::caa);
  ASSERT_TRUE(caa) << caa.error();
  EXPECT_EQ(caa->caa,
            (std::vector<CaaRecord>{{false, "issue", "ca.test;a=b"}, {true, "iodef", "x"}}));
  const auto v4 =
      parse_dns_answer(answer_with(DnsType::a, {"\xc0\x01\x02\x03"}), 7, name, DnsType::a);
  EXPECT_EQ(v4->addresses, std::vector{*IpAddress::parse("192.1.2.3")});
  EXPECT_EQ(parse_dns_answer(answer_with(DnsType::a, {}, 3), 7, name, DnsType::a)->code,
            DnsAnswer::no_such_name);
}

TEST(DnsMessage, TakesNothingElseForAnAnswer) {
  const auto good = answer_with(DnsType::a, {"\xc0\x01\x02\x03"});
  EXPECT_FALSE(parse_dns_answer(good, 8, name, DnsType::a));
  EXPECT_FALSE(parse_dns_answer(good, 7, *ServerName::parse("b.example.com"), DnsType::a));
  EXPECT_FALSE(parse_dns_answer(good, 7, name, DnsType::aaaa));
  EXPECT_FALSE(parse_dns_answer(serialize_dns_query(7, name, DnsType::a), 7, name, DnsType::a));
  for (std::size_t size = 0; size < good.size(); ++size)
    EXPECT_FALSE(parse_dns_answer(Bytes(good).first(size), 7, name, DnsType::a)) << size;
}

}  // namespace
}  // namespace sidestream::cli
