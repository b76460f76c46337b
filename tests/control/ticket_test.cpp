#include "control/ticket.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "streams/base64.h"
#include "tests/support/seeded_random.h"

namespace sidestream::control {
namespace {

Ticket example() {
  Ticket ticket;
  ticket.edge_endpoints = {{"vps.example.com", 51820}, {"2001:db8::1", 51820}};
  for (std::size_t i = 0; i < 32; ++i) {
    ticket.edge_public_key.bytes[i] = static_cast<std::uint8_t>(i);
    ticket.secret.reveal()[i] = static_cast<std::uint8_t>(0xa0 + i);
  }
  ticket.edge_address = *IpAddress::parse("10.86.0.1");
  ticket.sidecar_address = *IpAddress::parse("10.86.0.2");
  ticket.prefix_length = 24;
  return ticket;
}

std::string text_of_example() {
  return std::string(example().text().reveal());
}

TicketError error_of(std::string_view text) {
  const auto ticket = Ticket::parse(text);
  EXPECT_FALSE(ticket) << text;
  return ticket ? TicketError::empty : ticket.error();
}

// The worked example of docs/protocols/ticket.md.
TEST(Ticket, HasTheDocumentedForm) {
  EXPECT_EQ(text_of_example(),
            "ss1_"
            "AQBzKAIPdnBzLmV4YW1wbGUuY29tymwLMjAwMTpkYjg6OjHKbAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGh"
            "scHR4fBBgKVgABClYAAqChoqOkpaanqKmqq6ytrq-wsbKztLW2t7i5uru8vb6_eIVSHg");
  const auto ticket = Ticket::parse(text_of_example());
  ASSERT_TRUE(ticket);
  EXPECT_TRUE(*ticket == example());
  EXPECT_EQ(ticket->network().text(), "10.86.0.0/24");
}

TEST(Ticket, SurvivesWhiteSpaceAroundIt) {
  EXPECT_TRUE(Ticket::parse("  " + text_of_example() + "\r\n"));
  EXPECT_EQ(error_of(" \n"), TicketError::empty);
  EXPECT_EQ(error_of(""), TicketError::empty);
}

TEST(Ticket, SaysTruncatedAtEveryLength) {
  const std::string text = text_of_example();
  for (std::size_t length = 1; length < text.size(); ++length)
    EXPECT_EQ(error_of(text.substr(0, length)), TicketError::truncated) << length;
}

TEST(Ticket, NoticesEveryWrongCharacter) {
  const std::string text = text_of_example();
  constexpr std::string_view alphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  for (std::size_t at = 4; at < text.size(); ++at) {
    for (const char other : alphabet) {
      if (other == text[at]) continue;
      std::string wrong = text;
      wrong[at] = other;
      EXPECT_EQ(error_of(wrong), TicketError::damaged) << at << ' ' << other;
    }
  }
}

TEST(Ticket, NoticesEveryFlippedByteOfItsContent) {
  const auto bytes = *parse_base64url(text_of_example().substr(4));
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    for (unsigned flip = 1; flip < 256; ++flip) {
      auto wrong = bytes;
      wrong[at] = static_cast<std::uint8_t>(wrong[at] ^ flip);
      ASSERT_EQ(error_of("ss1_" + serialize_base64url(wrong)), TicketError::damaged) << at;
    }
  }
}

TEST(Ticket, NoticesCharactersThatChangedPlacesOrWentMissing) {
  const std::string text = text_of_example();
  for (std::size_t at = 4; at + 1 < text.size(); ++at) {
    std::string swapped = text;
    std::swap(swapped[at], swapped[at + 1]);
    if (swapped != text) {
      EXPECT_EQ(error_of(swapped), TicketError::damaged) << at;
    }
    std::string shorter = text;
    shorter.erase(at, 1);
    const TicketError error = error_of(shorter);
    EXPECT_TRUE(error == TicketError::damaged || error == TicketError::truncated) << at;
  }
}

TEST(Ticket, TellsWhatElseWasPasted) {
  const std::string text = text_of_example();
  EXPECT_EQ(error_of("hello"), TicketError::not_a_ticket);
  EXPECT_EQ(error_of(text.substr(4)), TicketError::not_a_ticket);
  EXPECT_EQ(error_of("SS1_" + text.substr(4)), TicketError::not_a_ticket);
  EXPECT_EQ(error_of(text + text), TicketError::too_long);
  EXPECT_EQ(error_of(text + "A"), TicketError::too_long);
  EXPECT_EQ(error_of("\"" + text + "\""), TicketError::not_a_ticket);
  EXPECT_EQ(error_of(text + "\""), TicketError::bad_character);
  EXPECT_EQ(error_of(text.substr(0, 60) + "\n" + text.substr(60)), TicketError::bad_character);
  EXPECT_EQ(error_of("ss2_" + text.substr(4)), TicketError::unknown_version);
  EXPECT_EQ(error_of("ss12_" + text.substr(4)), TicketError::unknown_version);
  EXPECT_EQ(error_of("ss_" + text.substr(4)), TicketError::not_a_ticket);
  // A binary form of version 2 with a header that is right.
  EXPECT_EQ(error_of("ss1_" + serialize_base64url(Bytes(std::vector<std::uint8_t>{
                                  2, 0, 8, 0x5a ^ 2 ^ 8, 1, 2, 3, 4, 5}))),
            TicketError::unknown_version);
}

TEST(Ticket, RefusesContentThatCannotBe) {
  const auto refuses = [](auto change) {
    Ticket ticket = example();
    change(ticket);
    EXPECT_FALSE(ticket.is_valid());
    EXPECT_EQ(error_of(ticket.text().reveal()), TicketError::invalid);
  };
  refuses([](Ticket& t) { t.edge_endpoints.clear(); });
  refuses([](Ticket& t) { t.edge_endpoints.assign(9, {"a", 1}); });
  refuses([](Ticket& t) { t.edge_endpoints[0].host = "a b"; });
  refuses([](Ticket& t) { t.edge_endpoints[0].host = ""; });
  refuses([](Ticket& t) { t.edge_endpoints[0].port = 0; });
  refuses([](Ticket& t) { t.edge_public_key = {}; });
  refuses([](Ticket& t) { t.secret.clear(); });
  refuses([](Ticket& t) { t.prefix_length = 0; });
  refuses([](Ticket& t) { t.prefix_length = 31; });
  refuses([](Ticket& t) { t.sidecar_address = t.edge_address; });
  refuses([](Ticket& t) { t.sidecar_address = *IpAddress::parse("10.87.0.2"); });
}

TEST(Ticket, RoundTripsWhateverIsValid) {
  SeededRandom random(7);
  for (int round = 0; round < 500; ++round) {
    Ticket ticket;
    const std::uint32_t endpoints = 1 + random.below(8);
    for (std::uint32_t i = 0; i < endpoints; ++i) {
      const std::string host = random.below(2) == 0
                                   ? std::string(1 + random.below(63), 'x')
                                   : "192.0.2." + std::to_string(random.below(256));
      ticket.edge_endpoints.push_back({host, static_cast<std::uint16_t>(1 + random.below(65535))});
    }
    random.fill(ticket.edge_public_key.bytes);
    random.fill(ticket.secret.reveal());
    const bool v6 = random.below(2) == 0;
    ticket.prefix_length = v6 ? 64 : 24;
    ticket.edge_address = *IpAddress::parse(v6 ? "fd00::1" : "10.1.2.1");
    ticket.sidecar_address = *IpAddress::parse(v6 ? "fd00::2" : "10.1.2.254");
    ASSERT_TRUE(ticket.is_valid());
    const auto back = Ticket::parse(ticket.text().reveal());
    ASSERT_TRUE(back);
    EXPECT_TRUE(*back == ticket);
    EXPECT_TRUE(back->text() == ticket.text());
  }
}

TEST(Ticket, ExplainsEachError) {
  for (int error = 0; error <= static_cast<int>(TicketError::invalid); ++error) {
    const std::string_view text = text_of(static_cast<TicketError>(error));
    EXPECT_TRUE(text.contains("; ")) << text;  // what, then the remedy
    EXPECT_FALSE(text.contains('\n'));
  }
}

}  // namespace
}  // namespace sidestream::control
