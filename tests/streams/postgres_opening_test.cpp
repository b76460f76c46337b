#include "streams/postgres_opening.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/support/client_hello_builder.h"
#include "tests/support/fragmentation.h"

namespace sidestream {
namespace {

using Verdict = PostgresOpening::Verdict;

const std::string ssl_request(text_of(Bytes(postgres_ssl_request)));
const std::string gss_request(text_of(Bytes(postgres_gss_request)));
const std::string cancel_request("\x00\x00\x00\x10\x04\xd2\x16\x2e\x00\x00\x00\x01\x00\x00\x00\x02",
                                 16);
const std::string startup("\x00\x00\x00\x0f\x00\x03\x00\x00user\x00x\x00\x00", 15);

// Feeds the pieces until there is a verdict that ends it; what was said in between as text, and the
// bytes that are somebody else's.
std::string outcome(const std::vector<Bytes>& pieces) {
  PostgresOpening opening;
  std::string text;
  for (const Bytes piece : pieces) {
    switch (opening.feed(piece)) {
      case Verdict::need_more:
        continue;
      case Verdict::gss_request:
        text += "N";
        continue;
      case Verdict::ssl_request:
        return text + "S";
      case Verdict::premature:
        return text + "premature";
      case Verdict::other:
        return text + "other " + std::to_string(opening.bytes().size());
    }
  }
  return opening.bytes().empty() && !text.empty() ? text : text + "need more";
}

// However `said` is cut.
void expect_always(const std::string& said, const std::string& expected) {
  for_each_fragmentation(bytes_of(said), [&](const std::vector<Bytes>& pieces) {
    EXPECT_EQ(outcome(pieces), expected) << pieces.size() << " pieces, " << pieces.front().size();
  });
}

TEST(PostgresOpening, AnSslRequestIsUnderstoodInAnyFragmentation) {
  expect_always(ssl_request, "S");
}

TEST(PostgresOpening, AGssRequestIsRefusedAndMayBeFollowedByTheOther) {
  expect_always(gss_request, "N");
  for (std::size_t i = 1; i < 8; ++i) {
    const Bytes ssl = bytes_of(ssl_request);
    EXPECT_EQ(outcome({bytes_of(gss_request), ssl.first(i), ssl.subspan(i)}), "NS") << i;
  }
  EXPECT_EQ(outcome({bytes_of(gss_request), bytes_of(startup)}), "Nother 15");
  EXPECT_EQ(outcome({bytes_of(gss_request), bytes_of(gss_request)}), "Nother 8");
}

TEST(PostgresOpening, BeginningsOfARequestNeedMore) {
  for (std::size_t size = 0; size < ssl_request.size(); ++size)
    EXPECT_EQ(outcome({bytes_of(ssl_request).first(size)}), "need more") << size;
}

TEST(PostgresOpening, EverythingElseIsLeftAlone) {
  EXPECT_EQ(outcome({bytes_of(startup)}), "other 15");
  EXPECT_EQ(outcome({bytes_of(cancel_request)}), "other 16");
  const ByteVector hello = client_hello_for("a.test");
  EXPECT_EQ(outcome({Bytes(hello).first(1)}), "other 1") << "decided at the first byte of TLS";
  // A byte that differs, at each place.
  for (std::size_t i = 0; i < ssl_request.size(); ++i) {
    std::string wrong = ssl_request;
    wrong[i] = static_cast<char>(wrong[i] ^ 0x40);
    EXPECT_EQ(outcome({bytes_of(wrong)}), "other 8") << i;
  }
}

TEST(PostgresOpening, NothingMayComeBehindARequestBeforeItsAnswer) {
  EXPECT_EQ(outcome({bytes_of(ssl_request + "x")}), "premature");
  EXPECT_EQ(outcome({bytes_of(gss_request + ssl_request)}), "premature");
  const ByteVector hello = client_hello_for("a.test");
  EXPECT_EQ(outcome({bytes_of(ssl_request + std::string(text_of(Bytes(hello))))}), "premature");
}

}  // namespace
}  // namespace sidestream
