#include "control/http_framing.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>

namespace sidestream::control {
namespace {

using Side = HttpFramer::Side;

// Feeds all of it and returns the error, or none when the message is complete.
std::optional<HttpError> error_of(Side side, std::string_view text, HttpLimits limits = {}) {
  HttpFramer framer(side, limits);
  const HttpFramer::Fed fed = framer.feed(bytes_of(text));
  if (fed.progress == HttpProgress::failed) return framer.failure();
  EXPECT_EQ(fed.progress, HttpProgress::done) << text;
  return std::nullopt;
}

std::string request_with(std::string_view fields) {
  return "POST /v1/x HTTP/1.1\r\n" + std::string(fields) + "\r\n";
}

TEST(HttpFraming, ReadsFieldsAndBodyAndLeavesTheRest) {
  HttpFramer framer(Side::request, {});
  const std::string_view text =
      "PUT / HTTP/1.1\r\nHost: a\r\nX-Empty:\r\nContent-Length:  5 \r\n\r\nhelloGET";
  const HttpFramer::Fed fed = framer.feed(bytes_of(text));
  EXPECT_EQ(fed.progress, HttpProgress::done);
  EXPECT_EQ(fed.consumed, text.size() - 3);
  EXPECT_EQ(framer.start_line(), "PUT / HTTP/1.1");
  EXPECT_EQ(framer.fields(), (HttpFields{{"host", "a"}, {"x-empty", ""}, {"content-length", "5"}}));
  EXPECT_EQ(framer.body(), "hello");
  EXPECT_TRUE(framer.keep_alive());
  EXPECT_EQ(framer.feed(bytes_of("more")).consumed, 0U);
}

TEST(HttpFraming, EverySplitGivesTheSame) {
  const std::string text = "PUT / HTTP/1.1\r\nA: b\r\nContent-Length: 7\r\n\r\nab\r\n\r\ncd";
  const std::size_t whole = text.size() - 1;
  for (std::size_t first = 0; first <= text.size(); ++first) {
    for (std::size_t second = first; second <= text.size(); ++second) {
      HttpFramer framer(Side::request, {});
      std::size_t consumed = 0;
      HttpProgress progress = HttpProgress::need_more;
      for (const auto& [from, to] : {std::pair(std::size_t{0}, first), std::pair(first, second),
                                     std::pair(second, text.size())}) {
        const auto fed = framer.feed(bytes_of(std::string_view(text).substr(from, to - from)));
        consumed += fed.consumed;
        progress = fed.progress;
      }
      ASSERT_EQ(progress, HttpProgress::done) << first << ' ' << second;
      ASSERT_EQ(consumed, whole);
      ASSERT_EQ(framer.body(), "ab\r\n\r\nc");
    }
  }
}

TEST(HttpFraming, KeepAliveFollowsVersionAndConnectionField) {
  const auto keeps_alive = [](std::string_view text) {
    HttpFramer framer(Side::request, {});
    EXPECT_EQ(framer.feed(bytes_of(text)).progress, HttpProgress::done) << text;
    return framer.keep_alive();
  };
  EXPECT_TRUE(keeps_alive("GET / HTTP/1.1\r\n\r\n"));
  EXPECT_FALSE(keeps_alive("GET / HTTP/1.0\r\n\r\n"));
  EXPECT_FALSE(keeps_alive("GET / HTTP/1.1\r\nConnection: close\r\n\r\n"));
  EXPECT_FALSE(keeps_alive("GET / HTTP/1.1\r\nConnection: upgrade , CLOSE\r\n\r\n"));
  EXPECT_TRUE(keeps_alive("GET / HTTP/1.1\r\nConnection: keep-alive,\r\n\r\n"));
}

TEST(HttpFraming, RefusesBadStartLines) {
  for (const char* line :
       {"", " ", "GET", "GET /", "GET / HTTP", "GET / SPDY/1.1", "GET / \x01 HTTP/1.1"}) {
    EXPECT_EQ(error_of(Side::request, std::string(line) + "\r\n\r\n"), HttpError::bad_start_line)
        << line;
  }
  for (const char* line :
       {"PRI * HTTP/2.0", "GET / HTTP/1.2", "GET / HTTP/1.1 ", "GET / HTTP/11"}) {
    const auto error = error_of(Side::request, std::string(line) + "\r\n\r\n");
    EXPECT_TRUE(error == HttpError::unsupported_version || error == HttpError::bad_start_line)
        << line;
  }
}

TEST(HttpFraming, RefusesBadFields) {
  for (const char* field :
       {"no colon", ": no name", "space : x", " folded: x", "\tfolded: x", "bad\x01name: x",
        "a: b\nc: d", "a: b\rc: d", "a: nul\x01", "a: \xff", "na(me: x"}) {
    EXPECT_EQ(error_of(Side::request, request_with(std::string(field) + "\r\n")),
              HttpError::bad_field)
        << field;
  }
}

TEST(HttpFraming, RefusesWhatItCannotMeasure) {
  const auto error = [](std::string_view fields) {
    return error_of(Side::request, request_with(fields));
  };
  EXPECT_EQ(error("Transfer-Encoding: chunked\r\n"), HttpError::length_required);
  EXPECT_EQ(error("Content-Length: 1\r\nTransfer-Encoding: chunked\r\n"),
            HttpError::length_required);
  EXPECT_EQ(error("Content-Length: 1\r\nContent-Length: 1\r\n"), HttpError::bad_content_length);
  for (const char* length : {"", "+1", "-1", "0x1", "1,1", "1 1", "one"}) {
    EXPECT_EQ(error("Content-Length: " + std::string(length) + "\r\n"),
              HttpError::bad_content_length)
        << length;
  }
  EXPECT_EQ(error("Content-Length: 99999999999999999999999\r\n"), HttpError::body_too_large);
  EXPECT_EQ(error_of(Side::response, "HTTP/1.1 200 OK\r\n\r\n"), HttpError::length_required);
}

TEST(HttpFraming, LimitsAreExact) {
  HttpLimits limits;
  limits.body_bytes_max = 4;
  EXPECT_EQ(error_of(Side::request, request_with("Content-Length: 4\r\n") + "abcd", limits),
            std::nullopt);
  EXPECT_EQ(error_of(Side::request, request_with("Content-Length: 5\r\n"), limits),
            HttpError::body_too_large);

  const std::string header = request_with("A: b\r\nC: d\r\n");
  limits.header_bytes_max = header.size() + 1;
  EXPECT_EQ(error_of(Side::request, header, limits), std::nullopt);
  limits.header_bytes_max = header.size() - 1;
  EXPECT_EQ(error_of(Side::request, header, limits), HttpError::header_too_large);
  limits.header_bytes_max = header.size();
  EXPECT_EQ(error_of(Side::request, header, limits), std::nullopt);
  limits.fields_max = 1;
  EXPECT_EQ(error_of(Side::request, header, limits), HttpError::header_too_large);
}

TEST(HttpFraming, AnEndlessHeaderIsRefusedAtTheLimitAndKeepsNoMore) {
  HttpFramer framer(Side::request, {});
  const std::string junk(100'000, 'x');
  const HttpFramer::Fed fed = framer.feed(bytes_of(junk));
  EXPECT_EQ(fed.progress, HttpProgress::failed);
  EXPECT_EQ(fed.consumed, HttpLimits().header_bytes_max);
  EXPECT_EQ(framer.failure(), HttpError::header_too_large);
}

TEST(HttpFraming, EveryErrorHasAStatusAndASentence) {
  for (int i = 0; i <= static_cast<int>(HttpError::body_too_large); ++i) {
    const auto error = static_cast<HttpError>(i);
    EXPECT_GE(status_of(error), 400U);
    EXPECT_FALSE(explain(error).empty());
  }
}

}  // namespace
}  // namespace sidestream::control
