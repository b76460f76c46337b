#include "control/http_client_io.h"

#include <gtest/gtest.h>

#include "tests/support/memory_stream_io.h"
#include "tests/support/virtual_loop_io.h"

namespace sidestream::control {
namespace {

class HttpClientTest : public testing::Test {
 protected:
  HttpRequest request() {
    HttpRequest request;
    request.method = "GET";
    request.target = "/";
    request.fields = {{"host", "a"}};
    return request;
  }

  VirtualLoop loop_;
  MemoryStream::Pair pair_ = MemoryStream::make_pair();
};

TEST_F(HttpClientTest, SendsARequestAndReadsItsResponseInPieces) {
  auto pending = loop_.start(exchange(*pair_.left, request(), HttpLimits()));
  loop_.settle();
  EXPECT_EQ(pair_.right->take(), "GET / HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n");
  for (const char byte : std::string_view("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")) {
    EXPECT_FALSE(pending.done());
    pair_.right->push(std::string_view(&byte, 1));
    loop_.settle();
  }
  ASSERT_TRUE(pending.done());
  EXPECT_EQ(pending.result().body, "ok");
}

TEST_F(HttpClientTest, FailsWhenThePeerEndsTooEarly) {
  pair_.right->push("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\no");
  pair_.right->push_end();
  auto pending = loop_.start(exchange(*pair_.left, request(), HttpLimits()));
  loop_.settle();
  EXPECT_EQ(pending.error(), asio::error::eof);
}

TEST_F(HttpClientTest, FailsOnWhatIsNoResponse) {
  for (const char* text : {"SSH-2.0-OpenSSH\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n",
                           "HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nab"}) {
    MemoryStream::Pair pair = MemoryStream::make_pair();
    pair.right->push(text);
    auto pending = loop_.start(exchange(*pair.left, request(), HttpLimits()));
    loop_.settle();
    EXPECT_EQ(pending.error(), boost::system::errc::bad_message) << text;
  }
}

TEST_F(HttpClientTest, FailsWhenTheStreamBreaks) {
  auto pending = loop_.start(exchange(*pair_.left, request(), HttpLimits()));
  loop_.settle();
  pair_.right->abort();
  loop_.settle();
  EXPECT_EQ(pending.error(), asio::error::connection_reset);
}

}  // namespace
}  // namespace sidestream::control
