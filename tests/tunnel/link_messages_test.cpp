#include "tunnel/link_messages.h"

#include <gtest/gtest.h>

namespace sidestream::tunnel {
namespace {

TcpEnds ends(std::string_view local, std::string_view remote) {
  return {*SocketAddress::parse(local), *SocketAddress::parse(remote)};
}

const std::vector<TcpEnds> some = {ends("10.86.0.1:40000", "10.86.0.2:20000"),
                                   ends("[fd00::1]:1", "[fd00::2]:65535")};

TEST(LinkMessages, AStandingIsReadAsItWasWritten) {
  const LinkStanding standing{.connections = 70'000, .gone = some};
  const auto message = serialize(standing);
  EXPECT_EQ(message[0], static_cast<std::uint8_t>(LinkMessageKind::standing));
  EXPECT_EQ(parse_link_standing(Bytes(message).subspan(1)), standing);
}

TEST(LinkMessages, ALostPeerIsReadAsItWasWritten) {
  for (const std::string_view text : {"10.86.0.2", "fd00::2"}) {
    const auto message = serialize_peer_lost(*IpAddress::parse(text));
    EXPECT_EQ(message[0], static_cast<std::uint8_t>(LinkMessageKind::peer_lost));
    EXPECT_EQ(parse_peer_lost(Bytes(message).subspan(1)), IpAddress::parse(text));
    EXPECT_FALSE(parse_peer_lost(Bytes(message).subspan(1, message.size() - 2)));
    auto longer = message;
    longer.push_back(0);
    EXPECT_FALSE(parse_peer_lost(Bytes(longer).subspan(1)));
  }
}

TEST(LinkMessages, ConnectionsAreReadAsTheyWereWritten) {
  const auto bytes = serialize(std::span(some));
  EXPECT_EQ(parse_connections(bytes), some);
  EXPECT_EQ(parse_connections({}), std::vector<TcpEnds>());
}

TEST(LinkMessages, WhatIsCutOffIsRefused) {
  const auto message = serialize(LinkStanding{.connections = 2, .gone = {some[0]}});
  const Bytes body = Bytes(message).subspan(1);
  for (std::size_t bytes = 0; bytes < body.size(); ++bytes) {
    // Four bytes are a whole message: nothing is gone.
    EXPECT_EQ(parse_link_standing(body.first(bytes)).has_value(), bytes == 4) << bytes;
  }
}

TEST(LinkMessages, TooManyAndOddAddressesAreRefused) {
  LinkStanding standing;
  standing.gone.assign(standing_gone_max, some[1]);
  auto message = serialize(standing);
  EXPECT_TRUE(parse_link_standing(Bytes(message).subspan(1)));
  standing.gone.push_back(some[1]);
  message = serialize(standing);
  EXPECT_FALSE(parse_link_standing(Bytes(message).subspan(1)));
  auto odd = serialize(std::span(some));
  odd[0] = 5;
  EXPECT_FALSE(parse_connections(odd));
}

}  // namespace
}  // namespace sidestream::tunnel
