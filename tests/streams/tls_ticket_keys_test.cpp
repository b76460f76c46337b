#include "streams/tls_ticket_keys.h"

#include <gtest/gtest.h>

#include "tests/support/seeded_random.h"

namespace sidestream {
namespace {

TEST(TlsTicketKeys, OpensWhatWasSealedNotTooLongAgo) {
  SeededRandom random(1);
  TlsTicketKeys keys(random, {.keys = 2});
  const auto first = keys.newest().name;
  EXPECT_EQ(keys.find(first), &keys.newest());
  keys.rotate(random);
  ASSERT_NE(keys.find(first), nullptr);
  EXPECT_NE(keys.find(first), &keys.newest());
  keys.rotate(random);
  EXPECT_EQ(keys.find(first), nullptr);
}

TEST(TlsTicketKeys, CanForgetEverything) {
  SeededRandom random(1);
  TlsTicketKeys keys(random);
  const auto first = keys.newest().name;
  keys.replace_all(random);
  EXPECT_EQ(keys.find(first), nullptr);
  EXPECT_FALSE(keys.newest().cipher_key.is_zero());
  EXPECT_FALSE(keys.newest().mac_key.is_zero());
}

}  // namespace
}  // namespace sidestream
