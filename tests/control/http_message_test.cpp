#include "control/http_message.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>

namespace sidestream::control {
namespace {

std::optional<HttpError> request_error(std::string_view text) {
  HttpRequestParser parser;
  const auto fed = parser.feed(bytes_of(text));
  if (fed.progress == HttpProgress::failed) return parser.failure();
  EXPECT_EQ(fed.progress, HttpProgress::done) << text;
  return std::nullopt;
}

TEST(HttpMessage, RequestRoundTrips) {
  HttpRequest request;
  request.method = "PUT";
  request.target = "/v1/state?x=1";
  request.fields = {{"host", "10.86.0.1:5151"}, {"content-type", "application/json"}};
  request.body = "{\"a\":1}\r\n\r\n";
  HttpRequestParser parser;
  EXPECT_FALSE(parser.begun());
  const std::string text = serialize(request);
  const auto fed = parser.feed(bytes_of(text));
  ASSERT_EQ(fed.progress, HttpProgress::done);
  EXPECT_EQ(fed.consumed, text.size());
  EXPECT_TRUE(parser.begun());
  HttpRequest parsed = parser.take();
  EXPECT_EQ(*find_field(parsed.fields, "content-length"), std::to_string(request.body.size()));
  parsed.fields.pop_back();
  EXPECT_EQ(parsed, request);
}

TEST(HttpMessage, ResponseRoundTripsAtEverySplit) {
  HttpResponse response;
  response.status = 410;
  response.fields = {{"content-type", "application/json"}};
  response.body = "{}";
  response.keep_alive = false;
  const std::string text = serialize(response);
  for (std::size_t split = 0; split <= text.size(); ++split) {
    HttpResponseParser parser;
    const auto first = parser.feed(bytes_of(std::string_view(text).substr(0, split)));
    if (split < text.size()) {
      ASSERT_EQ(first.progress, HttpProgress::need_more);
    }
    const auto second = parser.feed(bytes_of(std::string_view(text).substr(split)));
    ASSERT_EQ(second.progress, HttpProgress::done);
    HttpResponse parsed = parser.take();
    parsed.fields.resize(1);
    ASSERT_EQ(parsed, response);
  }
}

TEST(HttpMessage, RefusesBadRequestLines) {
  for (const char* line : {"GET  HTTP/1.1", " / HTTP/1.1", "G(T / HTTP/1.1",
                           "GET http://a/ HTTP/1.1", "GET * HTTP/1.1", "GET /a b HTTP/1.1",
                           "GET /a#b HTTP/1.1", "OPTIONS-AND-MANY-MORE / HTTP/1.1"}) {
    EXPECT_EQ(request_error(std::string(line) + "\r\nHost: a\r\n\r\n"), HttpError::bad_start_line)
        << line;
  }
  EXPECT_EQ(request_error("GET /" + std::string(2048, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n"),
            HttpError::bad_start_line);
}

TEST(HttpMessage, NeedsOneHost) {
  EXPECT_EQ(request_error("GET / HTTP/1.1\r\n\r\n"), HttpError::bad_host);
  EXPECT_EQ(request_error("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"), HttpError::bad_host);
  EXPECT_EQ(request_error("GET / HTTP/1.0\r\n\r\n"), std::nullopt);
}

TEST(HttpMessage, RefusesBadStatusLines) {
  for (const char* line : {"HTTP/1.1", "HTTP/1.1 ", "HTTP/1.1 20", "HTTP/1.1 2000", "HTTP/1.1 2x0",
                           "HTTP/1.1 099 A", "HTTP/1.1 600 A", "HTTP/1.1  200"}) {
    HttpResponseParser parser;
    const std::string text = std::string(line) + "\r\nContent-Length: 0\r\n\r\n";
    EXPECT_EQ(parser.feed(bytes_of(text)).progress, HttpProgress::failed) << line;
    EXPECT_EQ(parser.failure(), HttpError::bad_start_line) << line;
  }
}

TEST(HttpMessage, AFieldCannotEndItsLine) {
  HttpResponse response;
  response.fields = {{"x", "a\r\nset-cookie: b"}};
  EXPECT_NE(serialize(response).find("x: a  set-cookie: b\r\n"), std::string::npos);
}

TEST(HttpMessage, AParserReadsOneMessage) {
  HttpRequestParser parser;
  const std::string text = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  ASSERT_EQ(parser.feed(bytes_of(text)).progress, HttpProgress::done);
  EXPECT_EQ(parser.take().target, "/");
  const auto again = parser.feed(bytes_of(text));
  EXPECT_EQ(again.progress, HttpProgress::done);
  EXPECT_EQ(again.consumed, 0U);
}

TEST(HttpMessage, EveryStatusWeSendHasAPhrase) {
  for (const unsigned status : {200U, 400U, 403U, 404U, 405U, 408U, 409U, 410U, 411U, 413U, 415U,
                                417U, 426U, 429U, 431U, 500U, 503U, 505U}) {
    EXPECT_NE(reason_phrase(status), "Status") << status;
  }
}

}  // namespace
}  // namespace sidestream::control
