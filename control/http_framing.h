// Where one HTTP/1.1 message begins and ends in a stream of bytes (RFC 9112 sections 2 to 6):
// the header block up to the empty line, then as many body bytes as Content-Length says.
// Stricter than the RFC where it permits a choice: no bare LF, no folded lines, no chunked bodies.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "streams/bytes.h"

namespace sidestream::control {

struct HttpLimits {
  std::size_t header_bytes_max = 16 * 1024;  // start line and fields, with their line ends
  std::size_t fields_max = 64;
  std::size_t body_bytes_max = 256 * 1024;
};

enum class HttpError {
  bad_start_line,
  unsupported_version,
  bad_field,
  header_too_large,
  bad_host,
  bad_content_length,
  length_required,  // chunked, or a response without a length
  body_too_large,
};
// The status code with which a server answers a message that has this error.
[[nodiscard]] unsigned status_of(HttpError error);
// What is wrong, as the end of a sentence.
[[nodiscard]] std::string_view explain(HttpError error);

struct HttpField {
  std::string name;  // lower case
  std::string value;
  bool operator==(const HttpField&) const = default;
};
using HttpFields = std::vector<HttpField>;
// The value of the first field with this lower-case name; nullptr when there is none.
[[nodiscard]] const std::string* find_field(const HttpFields& fields, std::string_view name);
// RFC 9110 section 5.6.2: what method and field names are made of.
[[nodiscard]] bool is_http_token(std::string_view text);

enum class HttpProgress { need_more, done, failed };

class HttpFramer {
 public:
  // Of response_head the body is somebody else's.
  enum class Side { request, response, response_head };
  HttpFramer(Side side, const HttpLimits& limits) : side_(side), limits_(limits) {}

  struct Fed {
    HttpProgress progress = HttpProgress::need_more;
    std::size_t consumed = 0;  // bytes that belong to this message
  };
  // Takes bytes in any fragmentation and keeps what it needs of them. After done or failed it
  // consumes nothing more.
  Fed feed(Bytes bytes);

  // Whether a byte of the message has come.
  [[nodiscard]] bool begun() const {
    return !header_.empty() || progress_ != HttpProgress::need_more;
  }
  // Why it failed; none while it did not.
  [[nodiscard]] std::optional<HttpError> failure() const { return error_; }

  // After done only. `keep_alive` follows the version and the Connection field.
  [[nodiscard]] std::string_view start_line() const { return start_line_; }
  [[nodiscard]] bool keep_alive() const { return keep_alive_; }
  [[nodiscard]] HttpFields& fields() { return fields_; }
  // Of a message that has the field Content-Length, and has it once.
  [[nodiscard]] std::expected<std::size_t, HttpError> content_length() const;
  [[nodiscard]] std::string& body() { return body_; }

 private:
  void fail(HttpError error);
  std::size_t feed_header(std::string_view text);
  void parse_header();
  bool parse_field(std::string_view line);
  bool parse_version();
  void choose_body_length();

  Side side_;
  HttpLimits limits_;
  HttpProgress progress_ = HttpProgress::need_more;
  std::optional<HttpError> error_;
  bool header_done_ = false;
  bool keep_alive_ = true;
  std::size_t body_bytes_ = 0;
  std::string header_;
  std::string start_line_;
  HttpFields fields_;
  std::string body_;
};

}  // namespace sidestream::control
