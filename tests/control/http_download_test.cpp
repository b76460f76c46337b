#include "control/http_download.h"

#include <gtest/gtest.h>

namespace sidestream::control {
namespace {

constexpr std::string_view chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

struct Outcome {
  HttpProgress progress;
  std::string body;
  bool operator==(const Outcome&) const = default;
};

Outcome read(std::string_view text, std::size_t piece_bytes, bool ends = false,
             const HttpLimits& limits = {}) {
  HttpDownload download(limits);
  Outcome outcome{HttpProgress::need_more, ""};
  while (!text.empty()) {
    const auto piece = text.substr(0, piece_bytes);
    outcome.progress = download.feed(bytes_of(piece));
    outcome.body += download.take();
    text.remove_prefix(piece.size());
  }
  if (ends) outcome.progress = download.feed_end();
  return outcome;
}

void expect(const Outcome& expected, const std::string& text, bool ends = false) {
  for (const std::size_t piece : {1UL, 2UL, 7UL, 10'000UL})
    EXPECT_EQ(read(text, piece, ends), expected) << piece << "\n" << text;
}

TEST(HttpDownload, ReadsABodyWithALength) {
  expect({HttpProgress::done, "ok"}, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  expect({HttpProgress::done, ""}, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  expect({HttpProgress::done, ""}, "HTTP/1.1 204 No Content\r\n\r\n");
  expect({HttpProgress::failed, "o"}, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no", true);
}

TEST(HttpDownload, ReadsABodyThatEndsWithTheConnection) {
  expect({HttpProgress::need_more, "abc"}, "HTTP/1.0 200 OK\r\n\r\nabc");
  expect({HttpProgress::done, "abc"}, "HTTP/1.0 200 OK\r\n\r\nabc", true);
}

TEST(HttpDownload, ReadsChunks) {
  const std::string begin(chunked);
  expect({HttpProgress::done, "hello world, again"},
         begin + "5\r\nhello\r\n6;name=value\r\n world\r\n7 \r\n, again\r\n0\r\n\r\n");
  expect({HttpProgress::done, "a"}, begin + "1\r\na\r\n0\r\ntrailer: b\r\n\r\n");
  expect({HttpProgress::need_more, "0123456789abcdef"}, begin + "10\r\n0123456789abcdef\r\n");
  expect({HttpProgress::failed, "a"}, begin + "1\r\na\r\n", true);
}

TEST(HttpDownload, RefusesWhatIsNone) {
  const std::string begin(chunked);
  for (const std::string& text :
       {begin + "x\r\n", begin + "\r\n", begin + "-1\r\n", begin + "1\r\nab\r\n", begin + "1\n",
        begin + "123456789\r\n", begin + std::string(2000, 'a'),
        begin + "0\r\n" + std::string(900, 't') + "\r\n" + std::string(40'000, 'x'),
        std::string("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"),
        std::string("HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"),
        std::string("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"),
        std::string("HTTP/1.1 20 OK\r\n\r\n"), std::string("SSH-2.0-OpenSSH\r\n\r\n"),
        std::string("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nab")})
    for (const std::size_t piece : {1UL, 100'000UL})
      EXPECT_EQ(read(text, piece).progress, HttpProgress::failed) << text.substr(0, 200);
}

TEST(HttpDownload, HoldsNoMoreThanItsLimit) {
  const HttpLimits limits{.header_bytes_max = 1000, .fields_max = 10, .body_bytes_max = 4};
  const std::string text = std::string(chunked) + "8\r\n01234567\r\n0\r\n\r\n";
  EXPECT_EQ(read(text, 10'000, false, limits).progress, HttpProgress::failed);
  EXPECT_EQ(read(text, 3, false, limits), (Outcome{HttpProgress::done, "01234567"}));
}

}  // namespace
}  // namespace sidestream::control
