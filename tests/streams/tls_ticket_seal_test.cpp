#include "streams/tls_ticket_seal.h"

#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include "tests/support/tls_pair.h"

namespace sidestream {
namespace {

class TlsTicketSeal : public ::testing::TestWithParam<int> {
 protected:
  bool shake_hands(SSL_SESSION* resumed) {
    pair_.begin();
    SSL_set_max_proto_version(pair_.near->ssl(), GetParam());
    if (resumed != nullptr) SSL_set_session(pair_.near->ssl(), resumed);
    return pair_.shake_hands();
  }
  // A client keeps the session of a connection that has ended in order.
  SSL_SESSION* session() {
    pair_.near->close_write();
    return SSL_get1_session(pair_.near->ssl());
  }

  TlsPair pair_;
};

TEST_P(TlsTicketSeal, ResumesWithAnyKeyThatIsKept) {
  ASSERT_TRUE(shake_hands(nullptr));
  EXPECT_FALSE(pair_.far->resumed());
  SSL_SESSION* ticket = session();
  EXPECT_EQ(SSL_SESSION_has_ticket(ticket), 1);
  EXPECT_LE(SSL_SESSION_get_ticket_lifetime_hint(ticket), 24U * 3600);
  pair_.keys().rotate(pair_.random());
  ASSERT_TRUE(shake_hands(ticket));
  EXPECT_TRUE(pair_.far->resumed());
  SSL_SESSION_free(ticket);
}

TEST_P(TlsTicketSeal, ForgottenKeysMeanAFullHandshake) {
  ASSERT_TRUE(shake_hands(nullptr));
  SSL_SESSION* ticket = session();
  pair_.keys().replace_all(pair_.random());
  ASSERT_TRUE(shake_hands(ticket));
  EXPECT_FALSE(pair_.far->resumed());
  SSL_SESSION_free(ticket);
}

INSTANTIATE_TEST_SUITE_P(Versions, TlsTicketSeal,
                         ::testing::Values(TLS1_2_VERSION, TLS1_3_VERSION));

}  // namespace
}  // namespace sidestream
