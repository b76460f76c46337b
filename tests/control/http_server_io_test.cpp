#include "control/http_server_io.h"

#include <gtest/gtest.h>

#include <deque>
#include <stdexcept>

#include "tests/support/memory_tunnel_io.h"

namespace sidestream::control {
namespace {

// Repeats the request's target and body; some targets are special.
class Echo final : public HttpService {
 public:
  Task<HttpResponse> respond(HttpRequest request, SocketAddress client) override {
    last_client = client;
    ++requests;
    if (request.target == "/throw") throw std::runtime_error("broken");
    HttpResponse response;
    response.body = request.target + ' ' + request.body;
    if (request.target == "/large") response.body.assign(1'000'000, 'x');
    co_return response;
  }
  SocketAddress last_client;
  int requests = 0;
};

class HttpServerTest : public testing::Test {
 protected:
  HttpServerTest() {
    limits_.message.body_bytes_max = 100;
    limits_.message.header_bytes_max = 300;
    limits_.connections_max = 6;
    limits_.connections_per_address = 2;
  }

  void serve() {
    server_.emplace(loop_.executor(), loop_.timers(), listener_, echo_, limits_);
    running_.emplace(loop_.executor(), server_->run(), [this] { loop_.settle(); });
    loop_.settle();
  }
  // The client's end of a new connection from this host.
  MemoryStream& connect(std::uint8_t host = 2) {
    MemoryStreamOptions options;
    options.left = {IpAddress::v4({10, 86, 0, host}), 40000};
    MemoryStream::Pair pair = MemoryStream::make_pair(options);
    listener_.push(std::move(pair.right));
    clients_.push_back(std::move(pair.left));
    loop_.settle();
    return *clients_.back();
  }
  // What comes back for these bytes without time passing.
  std::string say(MemoryStream& client, std::string_view text) {
    EXPECT_TRUE(client.push(text));
    loop_.settle();
    return client.take();
  }
  static std::string post(const std::string& target, const std::string& body) {
    return "POST " + target +
           " HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
           body;
  }
  static std::string ok(const std::string& body) {
    return "HTTP/1.1 200 OK\r\ncontent-length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  }

  VirtualLoop loop_;
  MemoryWire wire_;
  MemoryListener listener_{wire_, {}};
  HttpServerLimits limits_;
  Echo echo_;
  std::optional<HttpServer> server_;
  std::optional<Pending<void>> running_;
  std::deque<std::unique_ptr<MemoryStream>> clients_;
};

TEST_F(HttpServerTest, AnswersOneRequestAfterTheOther) {
  serve();
  MemoryStream& client = connect();
  EXPECT_EQ(say(client, post("/a", "1")), ok("/a 1"));
  EXPECT_EQ(echo_.last_client.address, IpAddress::v4({10, 86, 0, 2}));
  loop_.advance(59s);
  EXPECT_EQ(say(client, post("/b", "2") + post("/c", "3") + "POST /d"), ok("/b 2") + ok("/c 3"));
  EXPECT_EQ(say(client, " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"),
            "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 3\r\n\r\n/d ");
  EXPECT_TRUE(client.at_end());
  client.push_end();
  loop_.settle();
  EXPECT_EQ(server_->connections(), 0U);
}

TEST_F(HttpServerTest, TheOldestSilentOneMakesRoomWhereThatIsWanted) {
  limits_.connections_max = 3;
  limits_.oldest_makes_room = true;
  serve();
  MemoryStream& first = connect(1);
  MemoryStream& second = connect(2);
  MemoryStream& third = connect(3);
  EXPECT_EQ(say(first, "GET / HTTP/1.1\r\n"), "");  // half a request is none
  MemoryStream& fourth = connect(4);
  EXPECT_FALSE(first.push("Host: a\r\n\r\n"));
  EXPECT_EQ(server_->connections(), 3U);
  for (MemoryStream* one : {&second, &third, &fourth}) {
    EXPECT_EQ(say(*one, post("/a", "1")), ok("/a 1"));
  }
  for (std::uint8_t host = 5; host < 105; ++host) connect(host);
  EXPECT_EQ(server_->connections(), 3U);
}

TEST_F(HttpServerTest, AnswersARequestInPieces) {
  serve();
  MemoryStream& client = connect();
  const std::string text = post("/a", "12345");
  for (std::size_t i = 0; i + 1 < text.size(); ++i) {
    EXPECT_EQ(say(client, text.substr(i, 1)), "");
  }
  EXPECT_EQ(say(client, text.substr(text.size() - 1)), ok("/a 12345"));
}

TEST_F(HttpServerTest, SaysWhatIsWrongWithARequestAndCloses) {
  serve();
  struct Row {
    std::string text;
    const char* status;
  };
  for (const Row& row :
       {Row{"hello\r\n\r\n", "400"}, Row{post("/", std::string(101, 'x')), "413"},
        Row{"GET / HTTP/1.1\r\nA: " + std::string(300, 'x'), "431"},
        Row{"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", "411"},
        Row{"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "505"}}) {
    MemoryStream& client = connect();
    const std::string answer = say(client, row.text);
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 " + std::string(row.status))) << answer;
    EXPECT_NE(answer.find("connection: close\r\n"), std::string::npos);
    EXPECT_NE(answer.find(R"({"error":"bad_message","sentence":"the request cannot be read: )"),
              std::string::npos);
    EXPECT_TRUE(client.at_end());
    client.push_end();
    loop_.settle();
  }
  EXPECT_EQ(echo_.requests, 0);
  EXPECT_EQ(server_->rejected(), 5U);
  EXPECT_EQ(server_->connections(), 0U);
}

// What comes after the refused part is read and dropped, so that no reset destroys the answer; but
// not for ever.
TEST_F(HttpServerTest, APeerThatGoesOnSendingIsCutOff) {
  serve();
  MemoryStream& client = connect();
  say(client, post("/", std::string(101, 'x')));
  EXPECT_TRUE(client.push("more"));
  loop_.advance(900ms);
  EXPECT_FALSE(client.broken());
  loop_.advance(200ms);
  EXPECT_TRUE(client.broken());
  EXPECT_EQ(server_->connections(), 0U);
}

TEST_F(HttpServerTest, SlowAndSilentPeersAreCutOff) {
  serve();
  MemoryStream& slow = connect(2);
  MemoryStream& silent = connect(3);
  say(slow, "POST / HT");
  for (int i = 0; i < 4; ++i) {
    loop_.advance(1s);
    say(slow, "T");
  }
  EXPECT_FALSE(slow.broken());
  loop_.advance(1s + 1ms);
  EXPECT_TRUE(slow.broken()) << "5 s after its first byte, however it goes on";
  loop_.advance(54s);
  EXPECT_FALSE(silent.broken());
  loop_.advance(2s);
  EXPECT_TRUE(silent.broken());
  EXPECT_EQ(server_->connections(), 0U);
}

TEST_F(HttpServerTest, APeerThatDoesNotReadIsCutOff) {
  serve();
  MemoryStream& client = connect();
  ASSERT_TRUE(client.push(post("/large", "")));
  loop_.advance(4900ms);
  EXPECT_FALSE(client.broken());
  loop_.advance(200ms);
  EXPECT_TRUE(client.broken());
  EXPECT_EQ(server_->connections(), 0U);
}

TEST_F(HttpServerTest, AHalfRequestIsNoRequest) {
  serve();
  MemoryStream& client = connect();
  say(client, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n1234");
  client.push_end();
  loop_.settle();
  EXPECT_TRUE(client.broken());
  EXPECT_EQ(echo_.requests, 0);
}

TEST_F(HttpServerTest, AFailureOfTheServiceIsAnAnswer) {
  serve();
  MemoryStream& client = connect();
  EXPECT_TRUE(say(client, post("/throw", "")).starts_with("HTTP/1.1 500 "));
  EXPECT_EQ(say(client, post("/a", "")), ok("/a "));
}

TEST_F(HttpServerTest, TheNewestConnectionsOfAnAddressCount) {
  serve();
  MemoryStream& first = connect(2);
  MemoryStream& second = connect(2);
  MemoryStream& other = connect(3);
  MemoryStream& third = connect(2);
  EXPECT_TRUE(first.broken());
  EXPECT_EQ(say(second, post("/2", "")), ok("/2 "));
  EXPECT_EQ(say(third, post("/3", "")), ok("/3 "));
  EXPECT_EQ(say(other, post("/o", "")), ok("/o "));
}

TEST_F(HttpServerTest, BeyondAllConnectionsNewOnesAreRefused) {
  serve();
  for (std::uint8_t host = 1; host <= 6; ++host) connect(host);
  EXPECT_TRUE(connect(7).broken());
  EXPECT_EQ(server_->connections(), 6U);
  EXPECT_EQ(say(*clients_.front(), post("/1", "")), ok("/1 "));
}

TEST_F(HttpServerTest, GoesOnAfterAFailedAccept) {
  serve();
  listener_.fail(asio::error::no_descriptors);
  MemoryStream& client = connect();
  EXPECT_TRUE(client.push(post("/a", "")));
  loop_.settle();
  EXPECT_EQ(client.take(), "");
  loop_.advance(100ms);
  EXPECT_EQ(client.take(), ok("/a "));
}

TEST_F(HttpServerTest, CancellingEndsEveryConnection) {
  serve();
  MemoryStream& idle = connect(2);
  MemoryStream& busy = connect(3);
  say(busy, "POST / HT");
  running_->cancel();
  loop_.settle();
  EXPECT_TRUE(running_->done());
  EXPECT_TRUE(idle.broken());
  EXPECT_TRUE(busy.broken());
  EXPECT_EQ(server_->connections(), 0U);
}

}  // namespace
}  // namespace sidestream::control
