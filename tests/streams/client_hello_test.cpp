#include "streams/client_hello.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "streams/tls_alert.h"
#include "tests/support/client_hello_builder.h"
#include "tests/support/fragmentation.h"
#include "tests/support/vectors.h"

namespace sidestream {
namespace {

using Verdict = ClientHelloParser::Verdict;

struct Outcome {
  Verdict verdict = Verdict::need_more;
  std::optional<ServerName> server_name;
  std::vector<std::string> alpn;
  std::string why;
};

Outcome feed_all(const std::vector<Bytes>& pieces, const ClientHelloLimits& limits = {}) {
  ClientHelloParser parser(limits);
  for (const Bytes piece : pieces) parser.feed(piece);
  return {parser.verdict(), parser.hello().server_name, parser.hello().alpn,
          std::string(parser.why())};
}

// The outcome of the whole, after checking that every fragmentation has the same one.
Outcome read(const ByteVector& bytes) {
  const Outcome whole = feed_all({bytes});
  const std::size_t step = 1 + bytes.size() / 4000;
  for_each_fragmentation(
      bytes,
      [&](const std::vector<Bytes>& pieces) {
        const Outcome outcome = feed_all(pieces);
        ASSERT_EQ(outcome.verdict, whole.verdict) << pieces.front().size();
        ASSERT_EQ(outcome.server_name, whole.server_name);
        ASSERT_EQ(outcome.alpn, whole.alpn);
        ASSERT_EQ(outcome.why, whole.why);
      },
      step);
  return whole;
}

Verdict verdict(const ByteVector& bytes) {
  return read(bytes).verdict;
}
std::string name(const ByteVector& bytes) {
  const Outcome outcome = read(bytes);
  if (outcome.verdict != Verdict::hello) return "(" + outcome.why + ")";
  return outcome.server_name ? outcome.server_name->text() : "";
}

HelloParts hello_with(std::vector<HelloExtension> extensions) {
  return {.extensions = std::move(extensions)};
}
ByteVector records_with(std::vector<HelloExtension> extensions) {
  return tls_records(serialize_hello(hello_with(std::move(extensions))));
}

TEST(ClientHelloTest, Vectors) {
  const boost::json::array& vectors = load_vectors("clienthello.json");
  ASSERT_GE(vectors.size(), 45U);
  for (const boost::json::value& vector : vectors) {
    SCOPED_TRACE(text_of_json(vector.at("name")));
    const Outcome outcome = read(bytes_of_json(vector.at("hex")));
    const boost::json::object& expect = vector.at("expect").as_object();
    const std::string expected = text_of_json(expect.at("verdict"));
    if (expected == "sni") {
      ASSERT_EQ(outcome.verdict, Verdict::hello) << outcome.why;
      ASSERT_TRUE(outcome.server_name);
      EXPECT_EQ(outcome.server_name->text(), text_of_json(expect.at("route_host")));
    } else if (expected == "no-sni") {
      ASSERT_EQ(outcome.verdict, Verdict::hello) << outcome.why;
      EXPECT_FALSE(outcome.server_name);
    } else if (expected == "malformed") {
      EXPECT_EQ(outcome.verdict, Verdict::malformed);
    } else {
      ASSERT_EQ(expected, "incomplete");
      EXPECT_EQ(outcome.verdict, Verdict::need_more);
    }
    const boost::json::value* alpn = expect.if_contains("alpn");
    if (outcome.verdict != Verdict::hello || alpn == nullptr) continue;
    std::vector<std::string> protocols;
    for (const boost::json::value& protocol : alpn->as_array())
      protocols.push_back(text_of_json(protocol));
    EXPECT_EQ(outcome.alpn, protocols);
  }
}

TEST(ClientHelloTest, DecidesNotTlsOnTheFirstByte) {
  for (int byte = 0; byte < 256; ++byte) {
    const auto first = static_cast<std::uint8_t>(byte);
    EXPECT_EQ(feed_all({Bytes(&first, 1)}).verdict,
              byte == 22 ? Verdict::need_more : Verdict::not_tls);
  }
  EXPECT_EQ(verdict({22, 2}), Verdict::not_tls);
  EXPECT_EQ(verdict({22, 3}), Verdict::need_more);
  EXPECT_EQ(verdict({0x80, 0x2e, 0x01, 0x00, 0x02}), Verdict::not_tls);  // SSLv2 framing
  EXPECT_EQ(read({'S', 'S', 'H'}).why, "");
}

TEST(ClientHelloTest, KeepsItsVerdict) {
  ClientHelloParser parser;
  EXPECT_EQ(parser.feed(client_hello_for("a.test")), Verdict::hello);
  EXPECT_EQ(parser.feed(bytes_of("early data of any kind")), Verdict::hello);
  EXPECT_EQ(parser.hello().server_name->text(), "a.test");
}

TEST(ClientHelloTest, IgnoresBytesBehindTheLastRecord) {
  const ByteVector early = tls_record(bytes_of("early data"), 0x0303, 23);
  EXPECT_EQ(name(concatenate(client_hello_for("a.test"), early)), "a.test");
}

TEST(ClientHelloTest, ReadsAnyFragmentationIntoRecords) {
  HelloParts smallest = hello_with({server_name_extension("a")});
  smallest.session_id_bytes = 0;
  smallest.cipher_suites = {0x1301};
  const ByteVector message = serialize_hello(smallest);
  ASSERT_LE(message.size(), 64U);
  for (std::size_t record_bytes = 1; record_bytes <= message.size(); ++record_bytes)
    EXPECT_EQ(name(tls_records(message, record_bytes)), "a") << record_bytes;
  // Two records cut everywhere, so also inside the name and inside each length.
  for (std::size_t cut = 1; cut < message.size(); ++cut)
    EXPECT_EQ(name(concatenate(tls_record(Bytes(message).first(cut)),
                               tls_record(Bytes(message).subspan(cut)))),
              "a");
}

TEST(ClientHelloTest, ReadsLargeHellos) {
  // Key shares of post-quantum size before the name.
  EXPECT_EQ(name(records_with({{51, ByteVector(1216)}, server_name_extension("a.test")})),
            "a.test");
  // 40 kB in three records.
  const ByteVector large =
      records_with({{21, ByteVector(40'000)}, server_name_extension("a.test")});
  EXPECT_EQ(name(large), "a.test");
  // Exactly the limit, and one byte more.
  const std::size_t others = serialize_hello(hello_with({{21, {}}})).size() - 4;
  const ClientHelloLimits limits{.hello_bytes_max = 8192};
  const ByteVector longest = records_with({{21, ByteVector(8192 - others)}});
  EXPECT_EQ(feed_all({longest}, limits).verdict, Verdict::hello);
  const ByteVector longer = records_with({{21, ByteVector(8193 - others)}});
  EXPECT_EQ(feed_all({longer}, limits).verdict, Verdict::too_large);
  // Known from the first nine bytes on.
  EXPECT_EQ(feed_all({Bytes(longer).first(9)}, limits).verdict, Verdict::too_large);
  EXPECT_EQ(verdict({22, 3, 1, 0, 200, 1, 0xff, 0xff, 0xff}), Verdict::too_large);
}

TEST(ClientHelloTest, LimitsRecords) {
  const ByteVector message =
      serialize_hello(hello_with({{21, ByteVector(5000)}, server_name_extension("a.test")}));
  const auto records = [&](std::size_t count) {
    ByteVector stream;
    for (std::size_t i = 0; i + 1 < count; ++i)
      append(stream, tls_record(Bytes(message).subspan(i, 1)));
    append(stream, tls_record(Bytes(message).subspan(count - 1)));
    return stream;
  };
  EXPECT_EQ(verdict(records(4096)), Verdict::hello);
  EXPECT_EQ(verdict(records(4097)), Verdict::too_large);
}

TEST(ClientHelloTest, RefusesRecordsThatAreNoPartOfTheHello) {
  const ByteVector message = serialize_hello(hello_with({server_name_extension("a.test")}));
  const Bytes first = Bytes(message).first(20);
  const Bytes second = Bytes(message).subspan(20);
  const auto between = [&](const ByteVector& record) {
    return verdict(concatenate(concatenate(tls_record(first), record), tls_record(second)));
  };
  EXPECT_EQ(between({}), Verdict::hello);
  EXPECT_EQ(between({20, 3, 3, 0, 1, 1}), Verdict::malformed);     // change cipher spec
  EXPECT_EQ(between({21, 3, 3, 0, 2, 1, 0}), Verdict::malformed);  // alert
  EXPECT_EQ(between({22, 3, 1, 0, 0}), Verdict::malformed);        // empty record
  EXPECT_EQ(between({22, 2, 0, 0, 1, 0}), Verdict::malformed);     // another version
  EXPECT_EQ(verdict({22, 3, 1, 0, 0}), Verdict::malformed);
  EXPECT_EQ(verdict({22, 3, 1, 0x40, 0x01}), Verdict::malformed);
  EXPECT_EQ(verdict({22, 3, 1, 0x40, 0x00}), Verdict::need_more);
  EXPECT_EQ(verdict({22, 3, 1, 0, 4, 2}), Verdict::malformed);  // ServerHello
}

TEST(ClientHelloTest, TakesAnyMinorVersion) {
  const ByteVector message = serialize_hello(hello_with({server_name_extension("a.test")}));
  for (const std::uint16_t version :
       std::initializer_list<std::uint16_t>{0x0300, 0x0301, 0x0303, 0x0304, 0x03ff})
    EXPECT_EQ(name(tls_records(message, 16384, version)), "a.test");
  HelloParts parts = hello_with({server_name_extension("a.test")});
  for (const std::uint16_t version :
       std::initializer_list<std::uint16_t>{0x0200, 0x0300, 0x0301, 0x0304, 0x0403}) {
    parts.version = version;
    EXPECT_EQ(name(tls_records(serialize_hello(parts))), "a.test");
  }
}

TEST(ClientHelloTest, NormalizesNames) {
  const auto of = [](const std::string& text) { return name(client_hello_for(text)); };
  EXPECT_EQ(of("A.TEST"), "a.test");
  EXPECT_EQ(of("a.test."), "a.test");
  EXPECT_EQ(of("under_score.test"), "under_score.test");
  EXPECT_EQ(of("192.0.2.1"), "192.0.2.1");
  EXPECT_EQ(of("2001:db8::1"), "");
  EXPECT_EQ(name(client_hello_for(std::nullopt)), "");
}

TEST(ClientHelloTest, RefusesImpossibleNames) {
  std::string label(63, 'a');
  std::string longest = label + "." + label + "." + label + "." + std::string(61, 'a');
  EXPECT_EQ(name(client_hello_for(longest)), longest);
  const std::string impossible[] = {longest + "a",
                                    std::string(305, 'a'),
                                    label + "a.test",
                                    std::string("a.test\0.evil", 12),
                                    "a.test\n",
                                    "a test",
                                    "*.test",
                                    "a..test",
                                    ".",
                                    "[::1]",
                                    "m\xc3\xbcnchen.de",
                                    "a.test:443"};
  for (const std::string& text : impossible)
    EXPECT_EQ(verdict(client_hello_for(text)), Verdict::malformed) << text;
  EXPECT_EQ(name(client_hello_for("a b")), "(a server name that no host can have)");
}

TEST(ClientHelloTest, RefusesAnythingButOneHostName) {
  const auto of = [](const std::vector<std::pair<std::uint8_t, std::string>>& names) {
    return verdict(records_with({server_name_extension(names)}));
  };
  EXPECT_EQ(of({{0, "a.test"}}), Verdict::hello);
  EXPECT_EQ(of({}), Verdict::malformed);
  EXPECT_EQ(of({{0, ""}}), Verdict::malformed);
  EXPECT_EQ(of({{0, "a.test"}, {0, "b.test"}}), Verdict::malformed);
  EXPECT_EQ(of({{1, "x"}, {0, "a.test"}}), Verdict::malformed);
  EXPECT_EQ(of({{1, "a.test"}}), Verdict::malformed);
  const HelloExtension one = server_name_extension("a.test");
  EXPECT_EQ(verdict(records_with({one, one})), Verdict::malformed);
  EXPECT_EQ(verdict(records_with({one, {10, {}}, server_name_extension("b.test")})),
            Verdict::malformed);
  for (std::size_t bytes = 0; bytes < one.body.size(); ++bytes) {
    HelloExtension cut = one;
    cut.body.resize(bytes);
    EXPECT_EQ(verdict(records_with({cut})), Verdict::malformed) << bytes;
  }
  HelloExtension longer = one;
  longer.body.push_back(0);
  EXPECT_EQ(verdict(records_with({longer})), Verdict::malformed);
}

TEST(ClientHelloTest, ReadsAlpn) {
  const auto of = [](const std::vector<std::string>& protocols) {
    return read(records_with({alpn_extension(protocols)}));
  };
  EXPECT_THAT(of({"acme-tls/1"}).alpn, testing::ElementsAre("acme-tls/1"));
  EXPECT_THAT(of({std::string("\0\xff", 2), "h2"}).alpn,
              testing::ElementsAre(std::string("\0\xff", 2), "h2"));
  EXPECT_EQ(of(std::vector<std::string>(100, "x")).alpn.size(), 16U);
  EXPECT_EQ(of({}).verdict, Verdict::malformed);
  EXPECT_EQ(of({"h2", ""}).verdict, Verdict::malformed);
  const HelloExtension one = alpn_extension({"h2"});
  EXPECT_EQ(verdict(records_with({one, one})), Verdict::malformed);
  EXPECT_EQ(verdict(records_with({{16, {0, 3, 3, 'h', '2'}}})), Verdict::malformed);
  EXPECT_EQ(verdict(records_with({{16, {0, 3, 2, 'h', '2', 0}}})), Verdict::malformed);
  EXPECT_EQ(verdict(records_with({{16, {0}}})), Verdict::malformed);
}

TEST(ClientHelloTest, LooksPastGreaseAndEch) {
  EXPECT_EQ(name(records_with({{0x0a0a, {}},
                               {0xfe0d, ByteVector(200, 7)},
                               server_name_extension("public.test"),
                               {0xfafa, {0}},
                               {0xfafa, {0}}})),
            "public.test");
}

TEST(ClientHelloTest, ChecksEveryLengthOfTheMessage) {
  const HelloParts good = hello_with({server_name_extension("a.test")});
  const auto of = [](const HelloParts& parts) {
    return verdict(tls_records(serialize_hello(parts)));
  };
  HelloParts parts = good;
  parts.session_id_bytes = 33;
  EXPECT_EQ(of(parts), Verdict::malformed);
  parts = good;
  parts.cipher_suites = {};
  EXPECT_EQ(of(parts), Verdict::malformed);
  parts = good;
  parts.compression = {};
  EXPECT_EQ(of(parts), Verdict::malformed);
  parts = good;
  parts.extension_block = false;
  EXPECT_EQ(of(parts), Verdict::hello);
  // A message that ends early: its own length says so, the rest of it is wrong.
  const ByteVector whole = serialize_hello(good);
  for (std::size_t bytes = 4; bytes < whole.size(); ++bytes) {
    ByteVector cut(whole.begin(), whole.begin() + static_cast<long>(bytes));
    cut[2] = 0;
    cut[3] = static_cast<std::uint8_t>(bytes - 4);
    const bool without_extensions = bytes == 4 + 2 + 32 + 1 + 32 + 2 + 6 + 2;
    EXPECT_EQ(verdict(tls_records(cut)), without_extensions ? Verdict::hello : Verdict::malformed)
        << bytes;
  }
  ByteVector longer = whole;
  longer.push_back(0);
  ++longer[3];
  EXPECT_EQ(verdict(tls_records(longer)), Verdict::malformed);
  longer = whole;
  longer.push_back(0);  // in the record, but not in the message
  EXPECT_EQ(verdict(tls_records(longer)), Verdict::malformed);
}

TEST(TlsAlertTest, IsOneRecord) {
  EXPECT_THAT(serialize_tls_alert(TlsAlert::unrecognized_name),
              testing::ElementsAre(21, 3, 3, 0, 2, 2, 112));
  EXPECT_THAT(serialize_tls_alert(TlsAlert::handshake_failure),
              testing::ElementsAre(21, 3, 3, 0, 2, 2, 40));
  EXPECT_THAT(serialize_tls_alert(TlsAlert::decode_error),
              testing::ElementsAre(21, 3, 3, 0, 2, 2, 50));
}

TEST(ClientHello, IsForAChallengeWhenItOffersNothingElse) {
  const auto is_for = [](std::vector<std::string> alpn) {
    return is_for_challenge({.server_name = {}, .alpn = std::move(alpn)});
  };
  EXPECT_TRUE(is_for({"acme-tls/1"}));
  EXPECT_FALSE(is_for({}));
  EXPECT_FALSE(is_for({"acme-tls/1", "h2"}));
  EXPECT_FALSE(is_for({"acme-tls/1", "acme-tls/1"}));
  EXPECT_FALSE(is_for({"acme-tls/10"}));
}

}  // namespace
}  // namespace sidestream
