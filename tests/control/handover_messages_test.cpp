#include "control/handover_messages.h"

#include <gtest/gtest.h>

#include "control/json_fields.h"

namespace sidestream::control {
namespace {

using tunnel::TcpEnds;

TunnelHandover handover() {
  TunnelHandover all;
  all.last_timestamp.bytes[0] = 0x40;
  all.connections = {
      {*SocketAddress::parse("10.86.0.1:40000"), *SocketAddress::parse("10.86.0.2:20000")},
      {*SocketAddress::parse("10.86.0.1:40001"), *SocketAddress::parse("10.86.0.3:20000")}};
  all.predecessors = {{{4711, "0.0.9"}, {all.connections[0]}}};
  return all;
}

TunnelHandover read(JsonFields& fields) {
  return read_tunnel_handover(fields.object("tunnel"));
}
std::expected<TunnelHandover, std::string> read_from(const Json& tunnel) {
  return read_json<TunnelHandover>(serialize_json(JsonObject{{"tunnel", tunnel}}), {}, read);
}

TEST(HandoverMessages, AreReadAsTheyWereWritten) {
  const HandoverHello hello{.protocol = 3, .program = "edge", .version = "9.9"};
  EXPECT_EQ(parse_handover_hello(serialize(hello)), hello);
  const HandoverOffer offer{
      .version = "9.9", .descriptors = {"udp", "listener 443"}, .document = R"({"a":"b"})"};
  EXPECT_EQ(parse_handover_offer(serialize(offer)), offer);
  EXPECT_EQ(read_from(to_json(handover())), handover());
}

TEST(HandoverMessages, AHelloOfALaterVersionIsUnderstoodAsFarAsItsProtocol) {
  const auto hello = parse_handover_hello(
      R"({"protocol":2,"program":"edge","version":"2.0","something":["else"]})");
  ASSERT_TRUE(hello);
  EXPECT_EQ(hello->protocol, 2U);
}

TEST(HandoverMessages, ErrorsNameThePlace) {
  EXPECT_TRUE(parse_handover_hello("{}").error().starts_with("protocol: "));
  EXPECT_FALSE(parse_handover_offer(R"({"version":"1","descriptors":[1],"document":""})"));
  EXPECT_FALSE(parse_handover_offer(""));
}

TEST(HandoverMessages, ABadTunnelIsRefused) {
  EXPECT_EQ(
      read_from(JsonObject{
                    {"last_timestamp", "AAAA"}, {"connections", ""}, {"predecessors", JsonArray()}})
          .error(),
      "tunnel.last_timestamp: is no timestamp");
  EXPECT_EQ(read_from(JsonObject{{"last_timestamp", "AAAAAAAAAAAAAAAA"},
                                 {"connections", "AAAA"},
                                 {"predecessors", JsonArray()}})
                .error(),
            "tunnel.connections: is no list of connections");
}

}  // namespace
}  // namespace sidestream::control
