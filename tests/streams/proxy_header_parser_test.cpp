#include "streams/proxy_header_parser.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "streams/crc32c.h"
#include "tests/support/fragmentation.h"
#include "tests/support/vectors.h"

namespace sidestream {
namespace {

using Verdict = ProxyHeaderParser::Verdict;
using ByteVector = std::vector<std::uint8_t>;

struct Outcome {
  Verdict verdict = Verdict::need_more;
  std::size_t consumed = 0;
  ProxyHeader header;
};

Outcome feed_all(const std::vector<Bytes>& pieces, const ProxyHeaderLimits& limits = {}) {
  ProxyHeaderParser parser(limits);
  Outcome outcome;
  for (const Bytes piece : pieces) {
    const auto fed = parser.feed(piece);
    EXPECT_TRUE(fed.consumed == piece.size() || fed.verdict != Verdict::need_more);
    outcome.consumed += fed.consumed;
  }
  outcome.verdict = parser.verdict();
  outcome.header = parser.header();
  EXPECT_EQ(parser.why().empty(),
            outcome.verdict != Verdict::malformed && outcome.verdict != Verdict::too_large);
  return outcome;
}
Outcome feed_text(std::string_view text, const ProxyHeaderLimits& limits = {}) {
  return feed_all({bytes_of(text)}, limits);
}

constexpr ProxyHeaderLimits no_limit{.v2_bytes_max = 65551};

void expect_accepted(const Outcome& outcome, const boost::json::object& expect) {
  ASSERT_EQ(outcome.verdict, Verdict::header);
  EXPECT_EQ(outcome.consumed, number_of_json(expect.at("header_len")));
  EXPECT_EQ(outcome.header.version, number_of_json(expect.at("version")));
  EXPECT_EQ(outcome.header.command == ProxyHeader::Command::local,
            text_of_json(expect.at("command")) == "LOCAL");
  if (expect.contains("use") || text_of_json(expect.at("family")).starts_with("UNIX")) {
    EXPECT_FALSE(outcome.header.source);
    EXPECT_FALSE(outcome.header.destination);
    return;
  }
  EXPECT_EQ(outcome.header.source->address, IpAddress::parse(text_of_json(expect.at("src"))));
  EXPECT_EQ(outcome.header.destination->address, IpAddress::parse(text_of_json(expect.at("dst"))));
  EXPECT_EQ(outcome.header.source->port, number_of_json(expect.at("sport")));
  EXPECT_EQ(outcome.header.destination->port, number_of_json(expect.at("dport")));
  EXPECT_EQ(outcome.header.transport == ProxyHeader::Transport::datagram,
            text_of_json(expect.at("family")).starts_with("UDP"));
  const boost::json::value* tlvs = expect.if_contains("tlvs");
  if (tlvs == nullptr || !tlvs->is_array()) return;
  ASSERT_EQ(outcome.header.tlvs.size(), tlvs->as_array().size());
  for (std::size_t i = 0; i < outcome.header.tlvs.size(); ++i) {
    const ProxyTlv& tlv = outcome.header.tlvs[i];
    EXPECT_EQ(tlv.type, number_of_json(tlvs->at(i).at(0)));
    const std::string value = text_of_json(tlvs->at(i).at(1));
    if (value == "65520 bytes") {
      EXPECT_EQ(tlv.value.size(), 65520U);
    } else {
      EXPECT_EQ(tlv.value, bytes_of_hex(value));
    }
  }
}

TEST(ProxyHeaderParserTest, Vectors) {
  const boost::json::array& vectors = load_vectors("proxy_protocol.json");
  ASSERT_GE(vectors.size(), 60U);
  for (const boost::json::value& vector : vectors) {
    SCOPED_TRACE(text_of_json(vector.at("name")));
    const ByteVector bytes = bytes_of_json(vector.at("hex"));
    const boost::json::object& expect = vector.at("expect").as_object();
    const std::string result = text_of_json(expect.at("result"));
    const auto check = [&](const std::vector<Bytes>& pieces) {
      const Outcome outcome = feed_all(pieces, no_limit);
      if (result == "accept") {
        expect_accepted(outcome, expect);
      } else if (result == "reject") {
        EXPECT_TRUE(outcome.verdict == Verdict::malformed || outcome.verdict == Verdict::too_large);
      } else if (result == "incomplete" || bytes.size() < 5) {  // what ends before a signature
        EXPECT_EQ(outcome.verdict, Verdict::need_more);
      } else {
        ASSERT_EQ(result, "not-proxy");
        EXPECT_EQ(outcome.verdict, Verdict::not_proxy);
      }
    };
    for_each_fragmentation(bytes, check, 1 + bytes.size() / 2000);
  }
}

TEST(ProxyHeaderParserTest, DecidesNotProxyAtTheFirstForeignByte) {
  EXPECT_EQ(feed_text("S").verdict, Verdict::not_proxy);
  EXPECT_EQ(feed_text("\x16").verdict, Verdict::not_proxy);
  EXPECT_EQ(feed_text("PROX").verdict, Verdict::need_more);
  EXPECT_EQ(feed_text("PROXy").verdict, Verdict::not_proxy);
  EXPECT_EQ(feed_text("\r\n\r\n").verdict, Verdict::need_more);
  EXPECT_EQ(feed_text("\r\n\r\n\r").verdict, Verdict::not_proxy);
  EXPECT_EQ(feed_text("PROXY\t").verdict, Verdict::malformed);
}

TEST(ProxyHeaderParserTest, LeavesThePayload) {
  const std::string_view line = "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n";
  const std::string two = std::string(line) + std::string(line) + "data";
  const Outcome outcome = feed_text(two);
  EXPECT_EQ(outcome.verdict, Verdict::header);
  EXPECT_EQ(outcome.consumed, line.size());  // a second header is the client's own data
  ProxyHeaderParser parser;
  parser.feed(bytes_of(line));
  EXPECT_EQ(parser.feed(bytes_of("data")).consumed, 0U);
}

TEST(ProxyHeaderParserTest, V1IsStrict) {
  const auto verdict = [](std::string_view line) {
    return feed_text("PROXY " + std::string(line) + "\r\n").verdict;
  };
  EXPECT_EQ(verdict("TCP4 1.2.3.4 5.6.7.8 0 65535"), Verdict::header);
  EXPECT_EQ(verdict("UNKNOWN"), Verdict::header);
  EXPECT_EQ(verdict("UNKNOWN "), Verdict::header);
  EXPECT_EQ(verdict("UNKNOWN whatever \xff"), Verdict::header);
  for (const char* bad :
       {"", " ", "TCP4", "UNKNOWNX", "TCP5 1.2.3.4 5.6.7.8 1 2", "tcp4 1.2.3.4 5.6.7.8 1 2",
        "TCP4 1.2.3.4 5.6.7.8 1", "TCP4  1.2.3.4 5.6.7.8 1 2", "TCP4 1.2.3.4 5.6.7.8 1 2 ",
        "TCP4 1.2.3.4 5.6.7.8 1 99999", "TCP4 1.2.3.4 5.6.7.8 1 080", "TCP4 1.2.3.4 5.6.7.8 1 +2",
        "TCP4 1.2.3.4 5.6.7.8 1 ", "TCP4 1.2.3.01 5.6.7.8 1 2", "TCP4 1.2.3.4.5 5.6.7.8 1 2",
        "TCP4 ::1 ::2 1 2", "TCP6 1.2.3.4 5.6.7.8 1 2", "TCP6 [::1] [::2] 1 2"})
    EXPECT_EQ(verdict(bad), Verdict::malformed) << bad;
  EXPECT_EQ(feed_text("PROXY UNKNOWN\n").verdict, Verdict::malformed);
  EXPECT_EQ(feed_text("PROXY UNKNOWN\rX").verdict, Verdict::malformed);
  const std::string longest = "PROXY UNKNOWN " + std::string(107 - 16, 'x') + "\r\n";
  ASSERT_EQ(longest.size(), 107U);
  EXPECT_EQ(feed_text(longest).verdict, Verdict::header);
  EXPECT_EQ(feed_text("PROXY UNKNOWN " + std::string(93, 'x')).verdict, Verdict::too_large);
}

TEST(ProxyHeaderParserTest, ReadsMixedFamiliesWhereAllowed) {
  const std::string_view line = "PROXY TCP6 2001:db8::1 192.0.2.1 51512 22\r\n";
  EXPECT_EQ(feed_text(line).verdict, Verdict::malformed);
  const Outcome outcome = feed_text(line, {.mixed_families_in_v1 = true});
  EXPECT_EQ(outcome.header.destination->text(), "192.0.2.1:22");
}

TEST(ProxyHeaderParserTest, LimitsV2) {
  const auto header = [](std::uint16_t length) {
    auto bytes = serialize_proxy_v2({}, {});
    bytes[14] = static_cast<std::uint8_t>(length >> 8U);
    bytes[15] = static_cast<std::uint8_t>(length);
    return bytes;
  };
  EXPECT_EQ(feed_all({header(4096 - 16)}).verdict, Verdict::need_more);
  EXPECT_EQ(feed_all({header(4096 - 15)}).verdict, Verdict::too_large);
  EXPECT_EQ(feed_all({Bytes(header(65535)).first(16)}).verdict, Verdict::too_large);
  EXPECT_EQ(feed_all({header(65535)}, no_limit).verdict, Verdict::need_more);
}

// A header with the TLVs given as bytes.
ByteVector with_tlvs(const ByteVector& tlvs) {
  auto bytes = serialize_proxy_v2({}, {});
  bytes[15] = static_cast<std::uint8_t>(bytes[15] + tlvs.size());
  bytes.insert(bytes.end(), tlvs.begin(), tlvs.end());
  return bytes;
}

TEST(ProxyHeaderParserTest, ChecksTheChecksum) {
  ByteVector good = with_tlvs({4, 0, 1, 9, 3, 0, 4, 0, 0, 0, 0, 2, 0, 1, 'a'});
  const std::size_t at = good.size() - 8;
  EXPECT_EQ(feed_all({good}).verdict, Verdict::malformed);
  const std::uint32_t crc = crc32c(good);
  for (std::size_t i = 0; i < 4; ++i)
    good[at + i] = static_cast<std::uint8_t>(crc >> (24U - 8U * i));
  EXPECT_EQ(feed_all({good}).verdict, Verdict::header);
  EXPECT_EQ(feed_all({good}).header.authority(), "a");
  for (std::size_t i = 16; i < good.size(); ++i) {  // every byte counts
    if (i == at - 3) continue;                      // without that type there is no checksum
    ByteVector wrong = good;
    wrong[i] ^= 0x40U;
    EXPECT_EQ(feed_all({wrong}).verdict, Verdict::malformed) << i;
  }
  EXPECT_EQ(feed_all({with_tlvs({3, 0, 3, 0, 0, 0})}).verdict, Verdict::malformed);
}

TEST(ProxyHeaderParserTest, ChecksTlvs) {
  EXPECT_EQ(feed_all({with_tlvs({0xe0, 0, 0})}).verdict, Verdict::header);
  EXPECT_EQ(feed_all({with_tlvs({0xe0})}).verdict, Verdict::malformed);
  EXPECT_EQ(feed_all({with_tlvs({0xe0, 0})}).verdict, Verdict::malformed);
  EXPECT_EQ(feed_all({with_tlvs({0xe0, 0, 2, 1})}).verdict, Verdict::malformed);
  ByteVector unique_id{5, 0, 128};
  unique_id.resize(3 + 128);
  EXPECT_EQ(feed_all({with_tlvs(unique_id)}).verdict, Verdict::header);
  unique_id[2] = 129;
  unique_id.push_back(0);
  EXPECT_EQ(feed_all({with_tlvs(unique_id)}).verdict, Verdict::malformed);
}

}  // namespace
}  // namespace sidestream
