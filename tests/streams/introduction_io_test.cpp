#include "streams/introduction_io.h"

#include <gtest/gtest.h>

#include "tests/support/client_hello_builder.h"
#include "tests/support/memory_stream_io.h"
#include "tests/support/memory_tunnel_io.h"

namespace sidestream {
namespace {

const SocketAddress client = *SocketAddress::parse("203.0.113.9:5022");
const SocketAddress edge = *SocketAddress::parse("192.0.2.1:443");

class IntroductionTest : public testing::Test {
 protected:
  // What the edge side says comes before this.
  void start() {
    reading_.emplace(loop_.executor(), read_introduction(network_, std::move(pair_.right), {}),
                     [this] { loop_.settle(); });
    loop_.settle();
  }
  MemoryStream& from_edge() { return *pair_.left; }
  void push_header(const std::optional<ServerName>& name = std::nullopt) {
    from_edge().push(text_of(Bytes(serialize_proxy_v2(client, edge, name))));
  }
  std::string refusal() {
    EXPECT_TRUE(reading_->done());
    EXPECT_FALSE(reading_->result());
    return reading_->result() ? "none" : reading_->result().error();
  }

  VirtualLoop loop_;
  MemoryNetwork network_{loop_};
  MemoryStream::Pair pair_ = MemoryStream::make_pair();
  std::optional<Pending<std::expected<Introduction, std::string>>> reading_;
};

TEST_F(IntroductionTest, WhatFollowsTheHeaderStaysInTheStream) {
  start();
  push_header(*ServerName::parse("a.test"));
  from_edge().push("hello");
  loop_.settle();
  ASSERT_TRUE(reading_->done());
  Introduction introduction = std::move(*reading_->result());
  EXPECT_EQ(introduction.header.source, client);
  EXPECT_EQ(introduction.header.authority(), "a.test");
  std::array<std::uint8_t, 16> buffer{};
  const std::size_t count = loop_.run(introduction.stream->read_some(buffer));
  EXPECT_EQ(text_of(Bytes(buffer).first(count)), "hello");
}

TEST_F(IntroductionTest, ARouterWithoutHeadersIsToldWhatItLacks) {
  start();
  from_edge().push("SSH-2.0-x\r\n");
  loop_.settle();
  EXPECT_EQ(refusal(), "it has no PROXY header; the router must send one (HAProxy: send-proxy-v2)");
  EXPECT_EQ(from_edge().broken(), asio::error::connection_reset);
}

TEST_F(IntroductionTest, AWrongHeaderAndHalfOneAreRefused) {
  start();
  from_edge().push("PROXY TCP4 nonsense\r\n");
  loop_.settle();
  EXPECT_EQ(refusal(), "its PROXY header is wrong: a wrong address or port");
}

TEST_F(IntroductionTest, HalfAHeaderAndAnEndIsRefused) {
  start();
  from_edge().push("PROXY TCP4 ");
  from_edge().push_end();
  loop_.settle();
  EXPECT_EQ(refusal(), "its PROXY header is cut off");
}

TEST_F(IntroductionTest, TheHeaderHasFiveSecondsHoweverBusyTheSender) {
  start();
  for (const char byte : std::string_view("PROXY TCP4 1.2.3.4")) {
    loop_.advance(300ms);
    if (!reading_->done()) from_edge().push({&byte, 1});
  }
  EXPECT_EQ(refusal(), "its PROXY header did not come in time");
}

// HAProxy's and NGINX's health checks: LOCAL, or a connection that says nothing.
TEST_F(IntroductionTest, HealthChecksAreNothingToTell) {
  start();
  from_edge().push(text_of(Bytes(serialize_proxy_v2_local())));
  loop_.settle();
  EXPECT_TRUE(from_edge().at_end());
  from_edge().push_end();
  loop_.settle();
  EXPECT_EQ(refusal(), "");

  pair_ = MemoryStream::make_pair();
  start();
  from_edge().push_end();
  loop_.settle();
  EXPECT_EQ(refusal(), "");

  pair_ = MemoryStream::make_pair();
  start();
  from_edge().abort();
  loop_.settle();
  EXPECT_EQ(refusal(), "");
}

TEST_F(IntroductionTest, AClientHelloIsReadAndStays) {
  const auto hello = client_hello_for("a.test");
  start();
  push_header();
  from_edge().push(text_of(Bytes(hello)));
  loop_.settle();
  Introduction introduction = std::move(*reading_->result());
  const auto seen = loop_.run(peek_client_hello(network_, introduction, {}));
  ASSERT_TRUE(seen);
  EXPECT_EQ(seen->server_name, *ServerName::parse("a.test"));
  std::vector<std::uint8_t> again(hello.size() + 1);
  again.resize(loop_.run(introduction.stream->read_some(again)));
  EXPECT_EQ(again, hello);
}

TEST_F(IntroductionTest, NoClientHelloIsNoneAndNotAnEndlessWait) {
  start();
  push_header();
  loop_.settle();
  Introduction introduction = std::move(*reading_->result());
  auto peeking = loop_.start(peek_client_hello(network_, introduction, {}));
  loop_.advance(6s);
  ASSERT_TRUE(peeking.done());
  EXPECT_FALSE(peeking.result());
}

}  // namespace
}  // namespace sidestream
