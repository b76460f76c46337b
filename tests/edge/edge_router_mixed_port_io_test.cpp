// Ports that have names and a default.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/edge/edge_router_fixture_io.h"

namespace sidestream::edge {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class MixedPortTest : public EdgeRouterTest {
 protected:
  // What the sidecar gets behind the PROXY header, and at which of its ports.
  std::string arrives_at(const std::string& tunnel_address) {
    world.settle();
    EXPECT_THAT(world.tunnel.dialled, ElementsAre(tunnel_address));
    if (world.tunnel.arrived.empty()) return "(nothing)";
    sidecar = world.tunnel.take_arrived();
    const std::string bytes = sidecar->take();
    const std::size_t header = 16 + static_cast<std::uint8_t>(bytes.at(15));
    return bytes.substr(header);
  }
  std::unique_ptr<MemoryStream> sidecar;
};

TEST_F(MixedPortTest, ANameThatIsPublishedGoesThere) {
  auto client = world.client(8443);
  client->push(hello("a.test"));
  EXPECT_EQ(arrives_at("10.86.0.2:1001"), hello("a.test"));
}
TEST_F(MixedPortTest, OtherNamesAndNoneGoToTheDefault) {
  auto client = world.client(8443);
  client->push(hello("b.test"));
  EXPECT_EQ(arrives_at("10.86.0.2:1003"), hello("b.test"));
  world.tunnel.dialled.clear();
  auto nameless = world.client(8443);
  nameless->push(hello(std::nullopt));
  EXPECT_EQ(arrives_at("10.86.0.2:1003"), hello(std::nullopt));
}
TEST_F(MixedPortTest, WhatIsNotTlsGoesToTheDefaultAtItsFirstByte) {
  auto client = world.client(8443);
  client->push("S");
  EXPECT_EQ(arrives_at("10.86.0.2:1003"), "S");
}
TEST_F(MixedPortTest, ASilentClientGoesToTheDefaultAfterASecond) {
  auto client = world.client(8443);
  world.advance(999ms);
  EXPECT_THAT(world.tunnel.dialled, IsEmpty());
  world.advance(1ms);
  EXPECT_EQ(arrives_at("10.86.0.2:1003"), "");
  client->push("and then it speaks");
  sidecar->push("banner");
  world.settle();
  EXPECT_EQ(sidecar->take(), "and then it speaks");
  EXPECT_EQ(client->take(), "banner");
}
TEST_F(MixedPortTest, AClientThatEndsAtOnceGoesToTheDefault) {
  auto client = world.client(8443);
  client->push_end();
  EXPECT_EQ(arrives_at("10.86.0.2:1003"), "");
  EXPECT_TRUE(sidecar->at_end());
}
// An unreadable hello never falls to the default.
TEST_F(MixedPortTest, AMalformedHelloIsRefused) {
  auto client = world.client(8443);
  client->push(hello(std::string("a.test\0.evil", 12)));
  world.settle();
  expect_refused(*client, decode_error, StreamEnd::hello_malformed);
}
TEST_F(MixedPortTest, HalfAHelloIsRefused) {
  auto client = world.client(8443);
  client->push(hello("a.test").substr(0, 50));
  world.advance(5s);
  expect_refused(*client, "", StreamEnd::hello_late);
}
TEST_F(MixedPortTest, HalfAHelloAndAnEndIsRefused) {
  auto client = world.client(8443);
  client->push(hello("a.test").substr(0, 50));
  client->push_end();
  world.settle();
  expect_refused(*client, "", StreamEnd::client_left);
}

}  // namespace
}  // namespace sidestream::edge
