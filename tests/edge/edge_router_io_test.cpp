#include "edge/edge_router_io.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/edge/edge_router_fixture_io.h"

namespace sidestream::edge {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// ---- routed ----------------------------------------------------------------------------------

TEST_F(EdgeRouterTest, CarriesANamedStream) {
  auto client = world.client(443);
  client->push(hello("A.test"));
  world.settle();
  auto sidecar = world.tunnel.take_arrived();
  EXPECT_THAT(world.tunnel.dialled, ElementsAre("10.86.0.2:1001"));
  EXPECT_EQ(sidecar->take(),
            proxy("203.0.113.7:51234", "203.0.113.7:443", "a.test") + hello("A.test"));
  sidecar->push("server hello");
  world.settle();
  EXPECT_EQ(client->take(), "server hello");
  client->push("finished");
  client->push_end();
  world.settle();
  EXPECT_EQ(sidecar->take(), "finished");
  EXPECT_TRUE(sidecar->at_end());
  EXPECT_THAT(world.records, IsEmpty());  // half closed is not over
  world.advance(1h);
  sidecar->push("late");
  sidecar->push_end();
  world.settle();
  EXPECT_EQ(client->take(), "late");
  EXPECT_TRUE(client->at_end());
  ASSERT_EQ(world.records.size(), 1U);
  const StreamRecord& record = world.records.front();
  EXPECT_EQ(record.end, StreamEnd::finished);
  EXPECT_EQ(record.bytes_from_client, hello("A.test").size() + 8);
  EXPECT_EQ(record.bytes_to_client, 16U);
  EXPECT_EQ(record.endpoint->text(), "a.test");
  EXPECT_EQ(record.server_name->text(), "a.test");
  EXPECT_EQ(record.sidecar, "home");
  EXPECT_EQ(record.service, "service");
  EXPECT_EQ(record.duration, 1h);
}

TEST_F(EdgeRouterTest, ReadsAHelloThatComesSlowlyAndKeepsWhatFollows) {
  auto client = world.client(443);
  const std::string bytes = hello("a.test") + "early data";
  for (const char byte : bytes) {
    client->push(std::string_view(&byte, 1));
    world.advance(20ms);
  }
  auto sidecar = world.tunnel.take_arrived();
  EXPECT_TRUE(sidecar->take().ends_with(bytes));
}

// Fault 50: where no name is published nobody waits for the client's bytes.
TEST_F(EdgeRouterTest, LetsTheServerSpeakFirst) {
  auto client = world.client(2222);
  auto sidecar = world.tunnel.take_arrived();
  EXPECT_EQ(sidecar->take(), proxy("203.0.113.7:51234", "203.0.113.7:2222"));
  sidecar->push("SSH-2.0-OpenSSH\r\n");
  world.settle();  // no time passed
  EXPECT_EQ(client->take(), "SSH-2.0-OpenSSH\r\n");
}

// Fault 58: a PROXY header from the internet is the client's own data.
TEST_F(EdgeRouterTest, DoesNotBelieveAClientsProxyHeader) {
  const std::string forged = proxy("127.0.0.1:1", "127.0.0.1:2");
  auto client = world.client(2222);
  client->push(forged + "data");
  world.settle();
  auto sidecar = world.tunnel.take_arrived();
  EXPECT_EQ(sidecar->take(), proxy("203.0.113.7:51234", "203.0.113.7:2222") + forged + "data");
}
TEST_F(EdgeRouterTest, RefusesAProxyHeaderInPlaceOfAHello) {
  auto client = world.client(443);
  client->push(proxy("127.0.0.1:1", "127.0.0.1:2") + hello("a.test"));
  world.settle();
  expect_refused(*client, "", StreamEnd::not_tls);
}

TEST_F(EdgeRouterTest, TellsMappedAddressesAsIpv4) {
  auto client = world.client(2222, "[::ffff:198.51.100.9]:1000");
  EXPECT_EQ(world.tunnel.take_arrived()->take(), proxy("198.51.100.9:1000", "198.51.100.9:2222"));
}

TEST_F(EdgeRouterTest, PassesAResetOn) {
  auto client = world.client(2222);
  auto sidecar = world.tunnel.take_arrived();
  client->abort();
  world.settle();
  EXPECT_EQ(sidecar->broken(), asio::error::connection_reset);
  EXPECT_EQ(world.records.back().end, StreamEnd::client_broke);
  auto other = world.client(2222);
  sidecar = world.tunnel.take_arrived();
  sidecar->abort();
  world.settle();
  EXPECT_EQ(other->broken(), asio::error::connection_reset);
  EXPECT_EQ(world.records.back().end, StreamEnd::sidecar_broke);
  EXPECT_FALSE(world.records.back().error.empty());
}

// ---- refused ---------------------------------------------------------------------------------

// Fault 57: unknown, away, unreachable: the client cannot tell them apart by the bytes.
TEST_F(EdgeRouterTest, AnswersAnUnknownNameWithAnAlert) {
  auto client = world.client(443);
  client->push(hello("b.test"));
  world.settle();
  expect_refused(*client, unrecognized_name, StreamEnd::no_such_name);
  EXPECT_EQ(world.records.back().server_name->text(), "b.test");
}
TEST_F(EdgeRouterTest, AnswersANameOfASidecarThatIsAwayTheSame) {
  world.router.set_routes({route("a.test", {}),
                           route("*.test", {target("other", "10.86.0.3:1001")}),
                           route(":443", {target("other", "10.86.0.3:1001")})});
  auto client = world.client(443);
  client->push(hello("a.test"));
  world.settle();
  expect_refused(*client, unrecognized_name, StreamEnd::no_such_name);
}
TEST_F(EdgeRouterTest, AnswersTheSameWhenTheSidecarCannotBeReached) {
  world.tunnel.silent.insert("10.86.0.2:1001");
  auto client = world.client(443);
  client->push(hello("a.test"));
  world.advance(3999ms);
  EXPECT_EQ(client->take(), "");
  world.advance(1ms);
  EXPECT_EQ(client->take(), unrecognized_name);
  EXPECT_TRUE(client->at_end());
  client->push_end();
  world.settle();
  EXPECT_EQ(world.records.back().end, StreamEnd::sidecar_unreachable);
  EXPECT_EQ(world.records.back().sidecar, "home");
}
TEST_F(EdgeRouterTest, AnswersANamelessClientTheSame) {
  auto client = world.client(443);
  client->push(hello(std::nullopt));
  world.settle();
  expect_refused(*client, unrecognized_name, StreamEnd::no_such_name);
}

TEST_F(EdgeRouterTest, ClosesWhatIsNotTlsAtItsFirstByte) {
  auto client = world.client(443);
  client->push("G");
  world.settle();
  expect_refused(*client, "", StreamEnd::not_tls);
}
TEST_F(EdgeRouterTest, ClosesWhereNothingIsPublishedAnyMore) {
  world.router.set_routes({});
  auto client = world.client(2222);
  client->push("SSH-2.0-client\r\n");
  world.settle();
  expect_refused(*client, "", StreamEnd::not_tls);
}
// Fault 57: the sidecar of the only names on the port was stopped in order.
TEST_F(EdgeRouterTest, AnswersTheSameWhereNothingIsPublishedAnyMore) {
  world.router.set_routes({});
  auto client = world.client(443);
  client->push(hello("a.test"));
  world.settle();
  expect_refused(*client, unrecognized_name, StreamEnd::no_such_name);
}
TEST_F(EdgeRouterTest, RefusesAMalformedHello) {
  auto client = world.client(443);
  client->push(std::string("\x16\x03\x01\x00\x00", 5));
  world.settle();
  expect_refused(*client, decode_error, StreamEnd::hello_malformed);
  EXPECT_EQ(world.records.back().why, "an empty handshake record");
}
TEST_F(EdgeRouterTest, RefusesAHelloThatIsTooLarge) {
  auto client = world.client(443);
  client->push(std::string("\x16\x03\x01\x40\x00\x01\x01\x00\x01", 9));
  world.settle();
  expect_refused(*client, decode_error, StreamEnd::hello_too_large);
}

// Fault 53: the deadline is absolute, whatever trickles in.
TEST_F(EdgeRouterTest, ClosesASlowHelloAfterFiveSeconds) {
  auto silent = world.client(443);
  auto slow = world.client(443);
  const std::string bytes = hello("a.test");
  for (std::size_t second = 0; second < 5; ++second) {
    EXPECT_FALSE(silent->broken());
    EXPECT_FALSE(slow->broken());
    slow->push(bytes.substr(second, 1));
    world.advance(1s);
  }
  EXPECT_EQ(silent->broken(), asio::error::connection_reset);
  EXPECT_EQ(slow->broken(), asio::error::connection_reset);
  EXPECT_THAT(world.tunnel.dialled, IsEmpty());
  EXPECT_EQ(world.router.counters().ended[std::to_underlying(StreamEnd::hello_late)], 2U);
}

TEST_F(EdgeRouterTest, GivesARefusedClientASecondToLeave) {
  auto client = world.client(443);
  client->push(hello("b.test"));
  world.advance(999ms);
  client->push("more");
  world.settle();
  EXPECT_EQ(world.router.counters().active, 1U);
  EXPECT_FALSE(client->broken());
  world.advance(1ms);
  EXPECT_EQ(world.router.counters().active, 0U);
  EXPECT_EQ(client->take(), unrecognized_name);
}

TEST_F(EdgeRouterTest, NoticesAClientThatLeavesBeforeItsHello) {
  auto client = world.client(443);
  client->abort();
  world.settle();
  EXPECT_EQ(world.records.back().end, StreamEnd::client_left);
  auto other = world.client(443);
  other->push_end();
  world.settle();
  EXPECT_EQ(world.records.back().end, StreamEnd::client_left);
}

}  // namespace
}  // namespace sidestream::edge
