// PostgreSQL's clients, who ask for TLS before they say a name.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "streams/postgres_opening.h"
#include "tests/edge/edge_router_fixture_io.h"

namespace sidestream::edge {
namespace {

const std::string ssl_request(sidestream::text_of(Bytes(postgres_ssl_request)));
const std::string gss_request(sidestream::text_of(Bytes(postgres_gss_request)));

class PostgresTest : public EdgeRouterTest {
 protected:
  void say(const std::string& bytes, const std::string& answer) {
    client->push(bytes);
    world.settle();
    EXPECT_EQ(client->take(), answer);
  }
  // What the sidecar gets behind the PROXY header.
  std::string arrives_at(const std::string& tunnel_address) {
    world.settle();
    EXPECT_THAT(world.tunnel.dialled, testing::ElementsAre(tunnel_address));
    if (world.tunnel.arrived.empty()) return "(nothing)";
    sidecar = world.tunnel.take_arrived();
    const std::string bytes = sidecar->take();
    return bytes.substr(16 + static_cast<std::size_t>(static_cast<std::uint8_t>(bytes.at(15))));
  }
  // Name said, the server at home not yet asked.
  void begin() {
    say(ssl_request, "S");
    say(hello("a.test"), "");
    EXPECT_EQ(arrives_at("10.86.0.2:1001"), ssl_request);
  }

  std::unique_ptr<MemoryStream> client;
  std::unique_ptr<MemoryStream> sidecar;
};

TEST_F(PostgresTest, TheServerIsAskedBeforeItSeesTheHello) {
  client = world.client(443);
  begin();
  world.advance(10s);
  EXPECT_EQ(sidecar->take(), "");
  sidecar->push("S");
  world.settle();
  EXPECT_EQ(sidecar->take(), hello("a.test"));
  EXPECT_EQ(client->take(), "") << "it has its answer already";
  sidecar->push("server hello");
  client->push("finished");
  world.settle();
  EXPECT_EQ(client->take(), "server hello");
  EXPECT_EQ(sidecar->take(), "finished");
  client->push_end();
  sidecar->push_end();
  world.settle();
  ASSERT_EQ(world.records.size(), 1U);
  EXPECT_EQ(world.records[0].end, StreamEnd::finished);
  EXPECT_EQ(world.records[0].bytes_from_client, hello("a.test").size() + 8);
}

TEST_F(PostgresTest, ARequestMayComeByteByByte) {
  client = world.client(443);
  for (const char byte : ssl_request.substr(0, 7)) say({byte}, "");
  say(ssl_request.substr(7), "S");
  for (const char byte : hello("a.test")) say({byte}, "");
  EXPECT_EQ(arrives_at("10.86.0.2:1001"), ssl_request);
}

TEST_F(PostgresTest, EncryptionByGssapiIsRefusedFirst) {
  client = world.client(443);
  say(gss_request, "N");
  begin();
}

TEST_F(PostgresTest, AServerWithoutTlsGetsNothing) {
  for (const std::string answer : {"N", "E", ""}) {
    client = world.client(443);
    world.tunnel.dialled.clear();
    begin();
    answer.empty() ? sidecar->push_end() : void(sidecar->push(answer));
    world.settle();
    EXPECT_EQ(client->take(), "");
    EXPECT_TRUE(client->at_end() || client->broken());
    EXPECT_EQ(sidecar->take(), "");
    EXPECT_EQ(world.records.back().end, StreamEnd::sidecar_broke);
    EXPECT_EQ(world.records.back().why, "the server at home did not agree to TLS");
  }
}

TEST_F(PostgresTest, AServerThatDoesNotAnswerIsGivenUp) {
  client = world.client(443);
  begin();
  world.advance(15s);
  EXPECT_EQ(world.records.size(), 1U);
  EXPECT_TRUE(client->at_end() || client->broken());
}

TEST_F(PostgresTest, AnUnknownNameIsToldSo) {
  client = world.client(443);
  say(ssl_request, "S");
  say(hello("b.test"), unrecognized_name);
}

TEST_F(PostgresTest, WhoWasPromisedTlsHasToSpeakIt) {
  client = world.client(8443);  // where what is no TLS would go to the default
  say(ssl_request, "S");
  client->push("SELECT 1");
  world.settle();
  expect_refused(*client, "", StreamEnd::not_tls);
}

TEST_F(PostgresTest, OneWithoutANameGoesToTheDefault) {
  client = world.client(8443);
  say(ssl_request, "S");
  say(hello(std::nullopt), "");
  EXPECT_EQ(arrives_at("10.86.0.2:1003"), ssl_request);
}

TEST_F(PostgresTest, PlainSessionsAndCancellingGoToTheDefaultOnly) {
  client = world.client(443);
  const std::string cancel("\x00\x00\x00\x10\x04\xd2\x16\x2e\x00\x00\x00\x01\x00\x00\x00\x02", 16);
  client->push(cancel);
  world.settle();
  expect_refused(*client, "", StreamEnd::not_tls);
  client = world.client(8443);
  client->push(cancel);
  EXPECT_EQ(arrives_at("10.86.0.2:1003"), cancel);
}

TEST_F(PostgresTest, BytesBeforeTheAnswerAreRefused) {
  client = world.client(443);
  client->push(ssl_request + hello("a.test"));
  world.settle();
  expect_refused(*client, "", StreamEnd::hello_malformed);
}

TEST_F(PostgresTest, TheHelloHasToComeInTime) {
  client = world.client(443);
  say(ssl_request, "S");
  world.advance(5s);
  expect_refused(*client, "", StreamEnd::hello_late);
}

TEST_F(PostgresTest, APortWithoutNamesAsksNobody) {
  client = world.client(2222);
  client->push(ssl_request);
  EXPECT_EQ(arrives_at("10.86.0.2:1002"), ssl_request);
  EXPECT_EQ(client->take(), "");
}

}  // namespace
}  // namespace sidestream::edge
