#include "streams/tls_session.h"

#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include "tests/support/tls_pair.h"

namespace sidestream {
namespace {

using Readable = TlsSession::Readable;

class TlsSessions : public ::testing::TestWithParam<int> {
 protected:
  TlsSessions() { SSL_set_max_proto_version(pair_.near->ssl(), GetParam()); }
  TlsPair pair_;
};

TEST_P(TlsSessions, AgreeByteByByte) {
  ASSERT_TRUE(pair_.shake_hands(1));
  EXPECT_EQ(pair_.far->version(), GetParam() == TLS1_2_VERSION ? "TLSv1.2" : "TLSv1.3");
  EXPECT_EQ(pair_.near->peer(), "CN=home.example.com");
  EXPECT_EQ(pair_.far->peer(), "");
}

TEST_P(TlsSessions, CarryBytesBothWaysInAnyPieces) {
  ASSERT_TRUE(pair_.shake_hands());
  std::string text;
  for (int i = 0; i < 40'000; ++i) text += std::to_string(i);
  for (const std::size_t at_once : {std::size_t{1} << 20U, std::size_t{1000}, std::size_t{7}}) {
    ASSERT_TRUE(pair_.near->write(bytes_of(text)));
    EXPECT_EQ(TlsPair::transfer(*pair_.near, *pair_.far, at_once), text);
    ASSERT_TRUE(pair_.far->write(bytes_of(text)));
    EXPECT_EQ(TlsPair::transfer(*pair_.far, *pair_.near, at_once), text);
  }
}

TEST_P(TlsSessions, FillRecords) {
  ASSERT_TRUE(pair_.shake_hands());
  const std::string text(256 * 1024, 'x');
  ASSERT_TRUE(pair_.far->write(bytes_of(text)));
  EXPECT_LE(pair_.far->poll_transmit().size(), text.size() + 16 * 40);
}

TEST_P(TlsSessions, EachDirectionEndsByItself) {
  ASSERT_TRUE(pair_.shake_hands());
  ASSERT_TRUE(pair_.near->write(bytes_of("question")));
  pair_.near->close_write();
  EXPECT_EQ(TlsPair::transfer(*pair_.near, *pair_.far), "question");
  EXPECT_EQ(pair_.far->look(), Readable::end);
  ASSERT_TRUE(pair_.far->write(bytes_of("answer")));
  EXPECT_EQ(TlsPair::transfer(*pair_.far, *pair_.near), "answer");
  EXPECT_EQ(pair_.near->look(), Readable::need_more);
  pair_.far->close_write();
  EXPECT_EQ(TlsPair::transfer(*pair_.far, *pair_.near), "");
  EXPECT_EQ(pair_.near->look(), Readable::end);
  EXPECT_EQ(pair_.near->problem(), "");
  EXPECT_EQ(pair_.far->problem(), "");
}

TEST_P(TlsSessions, ATransportThatEndsIsNoEndOfTheStream) {
  ASSERT_TRUE(pair_.shake_hands());
  ASSERT_TRUE(pair_.near->write(bytes_of("half a")));
  EXPECT_EQ(TlsPair::transfer(*pair_.near, *pair_.far), "half a");
  pair_.far->feed_end();
  EXPECT_EQ(pair_.far->look(), Readable::failed);
  EXPECT_TRUE(pair_.far->truncated());
  EXPECT_EQ(pair_.far->problem(), "it ended without close_notify");
}

TEST_P(TlsSessions, AnEndInTheMiddleOfARecordIsNoEndOfTheStream) {
  ASSERT_TRUE(pair_.shake_hands());
  ASSERT_TRUE(pair_.near->write(bytes_of("a whole record")));
  const auto records = pair_.near->poll_transmit();
  pair_.far->feed(Bytes(records).first(records.size() - 1));
  EXPECT_EQ(pair_.far->look(), Readable::need_more);
  pair_.far->feed_end();
  EXPECT_EQ(pair_.far->look(), Readable::failed);
  EXPECT_TRUE(pair_.far->truncated());
}

TEST_P(TlsSessions, AChangedByteEndsItWithAnAlert) {
  ASSERT_TRUE(pair_.shake_hands());
  ASSERT_TRUE(pair_.near->write(bytes_of("payload")));
  auto records = pair_.near->poll_transmit();
  records.back() ^= 1U;
  pair_.far->feed(records);
  EXPECT_EQ(pair_.far->look(), Readable::failed);
  EXPECT_FALSE(pair_.far->truncated());
  EXPECT_NE(pair_.far->problem(), "");
  TlsPair::transfer(*pair_.far, *pair_.near);
  EXPECT_NE(pair_.near->problem().find("bad record mac"), std::string::npos);
}

TEST_P(TlsSessions, EmptyRecordsAreNothing) {
  ASSERT_TRUE(pair_.shake_hands());
  // What OpenSSL writes for nothing is nothing; a peer's empty record is read as nothing.
  std::size_t count = 0;
  SSL_write_ex(pair_.near->ssl(), "", 0, &count);
  EXPECT_EQ(TlsPair::transfer(*pair_.near, *pair_.far), "");
  ASSERT_TRUE(pair_.near->write(bytes_of("then")));
  EXPECT_EQ(TlsPair::transfer(*pair_.near, *pair_.far), "then");
}

TEST_P(TlsSessions, TheEndOfAHandshakeIsNotTheEndOfAStream) {
  pair_.near->handshake();
  auto hello = pair_.near->poll_transmit();
  pair_.far->feed(Bytes(hello).first(hello.size() / 2));
  EXPECT_EQ(pair_.far->handshake(), TlsSession::Progress::need_more);
  pair_.far->feed_end();
  EXPECT_EQ(pair_.far->handshake(), TlsSession::Progress::failed);
  EXPECT_EQ(pair_.far->problem(), "it ended in the middle of the handshake");
  EXPECT_FALSE(pair_.far->truncated());
}
INSTANTIATE_TEST_SUITE_P(Versions, TlsSessions, ::testing::Values(TLS1_2_VERSION, TLS1_3_VERSION));

TEST(TlsSession, KeysAreUpdatedWhenThePeerAsks) {
  TlsPair pair;
  ASSERT_TRUE(pair.shake_hands());
  for (int i = 0; i < 3; ++i) {
    SSL_key_update(pair.near->ssl(), SSL_KEY_UPDATE_REQUESTED);
    ASSERT_TRUE(pair.near->write(bytes_of("new keys")));
    EXPECT_EQ(TlsPair::transfer(*pair.near, *pair.far), "new keys");
    ASSERT_TRUE(pair.far->write(bytes_of("here too")));
    EXPECT_EQ(TlsPair::transfer(*pair.far, *pair.near), "here too");
  }
}

TEST(TlsSession, RenegotiationIsRefusedAndTheStreamGoesOn) {
  TlsPair pair;
  SSL_set_max_proto_version(pair.near->ssl(), TLS1_2_VERSION);
  SSL_clear_options(pair.near->ssl(), SSL_OP_NO_RENEGOTIATION);
  ASSERT_TRUE(pair.shake_hands());
  ASSERT_EQ(SSL_renegotiate(pair.near->ssl()), 1);
  SSL_do_handshake(pair.near->ssl());
  EXPECT_EQ(TlsPair::transfer(*pair.near, *pair.far), "");
  EXPECT_EQ(pair.far->look(), Readable::need_more);
  EXPECT_TRUE(pair.far->has_output());  // no_renegotiation
  ASSERT_TRUE(pair.far->write(bytes_of("as before")));
  EXPECT_EQ(pair.far->problem(), "");
}

TEST(TlsSession, BytesThatAreNoTlsEndWithAnAlert) {
  TlsPair pair;
  const std::string request = "GET / HTTP/1.0\r\n\r\n";
  pair.far->feed(bytes_of(request));
  EXPECT_EQ(pair.far->handshake(), TlsSession::Progress::failed);
  EXPECT_EQ(pair.far->problem(), "http request");
  EXPECT_EQ(pair.far->handshake(), TlsSession::Progress::failed);
  EXPECT_EQ(pair.far->look(), Readable::failed);
}

}  // namespace
}  // namespace sidestream
