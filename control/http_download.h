// The response of any HTTP/1.1 server, its body told as it comes: with a length, in chunks
// (RFC 9112 section 7.1) or up to the end of the connection (section 6.3).
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "control/http_message.h"

namespace sidestream::control {

class HttpDownload {
 public:
  // Of the body at most `limits.body_bytes_max` wait for take().
  explicit HttpDownload(const HttpLimits& limits = {})
      : limits_(limits), head_(HttpFramer::Side::response_head, limits) {}

  // Takes bytes in any fragmentation. What comes after the response is a failure.
  HttpProgress feed(Bytes bytes);
  // The connection has ended.
  HttpProgress feed_end();

  // Whether status and fields are there.
  [[nodiscard]] bool has_head() const { return body_ != Body::none_yet; }
  [[nodiscard]] unsigned status() const { return status_; }
  [[nodiscard]] const HttpFields& fields() { return head_.fields(); }
  // What of the body has come since the last call.
  [[nodiscard]] std::string take();
  // Why it failed; none while it did not, or when the connection ended too early.
  [[nodiscard]] std::optional<HttpError> failure() const { return error_; }

 private:
  enum class Body { none_yet, with_length, chunk_size, chunk, chunk_end, trailer, until_end };

  HttpProgress fail(HttpError error);
  void begin_body();
  void feed_body(std::string_view text);
  // A line without its end, once it is whole.
  std::optional<std::string> feed_line(std::string_view& text);
  void read_chunk_size(const std::string& line);
  void append(std::string_view text);

  HttpLimits limits_;
  HttpFramer head_;
  Body body_ = Body::none_yet;
  HttpProgress progress_ = HttpProgress::need_more;
  std::optional<HttpError> error_;
  unsigned status_ = 0;
  std::size_t left_ = 0;      // of the body, or of the chunk
  std::size_t trailers_ = 0;  // bytes
  std::string line_;          // of the chunked coding, as far as it has come
  std::string waiting_;
};

}  // namespace sidestream::control
