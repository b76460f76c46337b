#include "control/ticket_keys.h"

#include <gtest/gtest.h>

#include "streams/base64.h"

namespace sidestream::control {
namespace {

// The worked example of docs/protocols/ticket.md, computed with Python's hmac and hashlib.blake2s.
TEST(TicketKeys, AreTheDocumentedOnes) {
  Ticket::SecretKey secret;
  for (std::size_t i = 0; i < secret.size; ++i)
    secret.reveal()[i] = static_cast<std::uint8_t>(0xa0 + i);
  const TicketKeys keys = derive_ticket_keys(secret);
  EXPECT_EQ(serialize_base64(keys.private_key.reveal()),
            "EL8/ZI3Bz12TSGVjvwRml8NzTYRxEC50KgiagMOTTnk=");
  EXPECT_EQ(keys.public_key.text(), "gBkLFfpjWGOjVZqpcVbWWQpMSB3oDZiX2UPyByVcEiU=");
  EXPECT_EQ(serialize_base64(keys.preshared_key.reveal()),
            "SxEg5sfHVEP6noMv65Q671AkvN/MFUnY7wnvFfjfKnw=");
}

TEST(TicketKeys, DifferForEverySecret) {
  Ticket::SecretKey one;
  one.reveal()[0] = 1;
  Ticket::SecretKey two;
  two.reveal()[31] = 1;
  EXPECT_NE(derive_ticket_keys(one).public_key, derive_ticket_keys(two).public_key);
  EXPECT_FALSE(derive_ticket_keys(one).preshared_key == derive_ticket_keys(two).preshared_key);
}

}  // namespace
}  // namespace sidestream::control
