#include "control/http_framing.h"

#include <algorithm>
#include <charconv>

namespace sidestream::control {
namespace {

constexpr std::string_view line_end = "\r\n";
constexpr std::string_view header_end = "\r\n\r\n";
// Enough for every body that a limit can allow, and never an overflow.
constexpr std::size_t length_digits_max = 15;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_alpha(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = lower(c);
  return result;
}

std::string_view trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

bool is_printable(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return (c >= ' ' && c <= '~') || c == '\t'; });
}

// Whether a comma-separated list has this token (RFC 9110 section 5.6.1).
bool lists_token(std::string_view list, std::string_view token) {
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    if (lower(trim(list.substr(0, comma))) == token) return true;
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return false;
}

}  // namespace

unsigned status_of(HttpError error) {
  switch (error) {
    case HttpError::unsupported_version:
      return 505;
    case HttpError::header_too_large:
      return 431;
    case HttpError::length_required:
      return 411;
    case HttpError::body_too_large:
      return 413;
    case HttpError::bad_start_line:
    case HttpError::bad_field:
    case HttpError::bad_host:
    case HttpError::bad_content_length:
      break;
  }
  return 400;
}

std::string_view explain(HttpError error) {
  switch (error) {
    case HttpError::bad_start_line:
      return "its first line is not one of HTTP/1.1";
    case HttpError::unsupported_version:
      return "its HTTP version is not 1.0 or 1.1";
    case HttpError::bad_field:
      return "a header field is malformed";
    case HttpError::header_too_large:
      return "its header is larger than the limit";
    case HttpError::bad_host:
      return "it needs exactly one Host field";
    case HttpError::bad_content_length:
      return "its Content-Length is not one decimal number";
    case HttpError::length_required:
      return "its body has no Content-Length (chunked bodies are not accepted)";
    case HttpError::body_too_large:
      return "its body is larger than the limit";
  }
  return "it is malformed";
}

const std::string* find_field(const HttpFields& fields, std::string_view name) {
  const auto found = std::ranges::find(fields, name, &HttpField::name);
  return found == fields.end() ? nullptr : &found->value;
}

bool is_http_token(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return is_alpha(c) || is_digit(c) ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  });
}

void HttpFramer::fail(HttpError error) {
  progress_ = HttpProgress::failed;
  error_ = error;
}

HttpFramer::Fed HttpFramer::feed(Bytes bytes) {
  std::string_view text = text_of(bytes);
  if (progress_ == HttpProgress::need_more && !header_done_) {
    text.remove_prefix(feed_header(text));
  }
  if (progress_ == HttpProgress::need_more && header_done_) {
    const std::size_t count = std::min(text.size(), body_bytes_ - body_.size());
    body_.append(text.substr(0, count));
    text.remove_prefix(count);
    if (body_.size() == body_bytes_) progress_ = HttpProgress::done;
  }
  return {progress_, bytes.size() - text.size()};
}

std::size_t HttpFramer::feed_header(std::string_view text) {
  const std::size_t before = header_.size();
  header_.append(text.substr(0, limits_.header_bytes_max - before));
  // The empty line may have begun in an earlier piece.
  const std::size_t from = before - std::min(before, header_end.size() - 1);
  const std::size_t end = header_.find(header_end, from);
  if (end == std::string::npos) {
    if (header_.size() == limits_.header_bytes_max) fail(HttpError::header_too_large);
    return header_.size() - before;
  }
  header_.resize(end + header_end.size());
  const std::size_t consumed = header_.size() - before;
  header_done_ = true;
  parse_header();
  return consumed;
}

void HttpFramer::parse_header() {
  std::string_view rest = std::string_view(header_).substr(0, header_.size() - line_end.size());
  const std::size_t first_end = rest.find(line_end);
  start_line_ = rest.substr(0, first_end);
  rest.remove_prefix(first_end + line_end.size());
  if (!is_printable(start_line_)) return fail(HttpError::bad_start_line);
  if (!parse_version()) return;
  while (!rest.empty()) {
    const std::size_t end = rest.find(line_end);
    if (fields_.size() == limits_.fields_max) return fail(HttpError::header_too_large);
    if (!parse_field(rest.substr(0, end))) return fail(HttpError::bad_field);
    rest.remove_prefix(end + line_end.size());
  }
  if (const std::string* connection = find_field(fields_, "connection")) {
    if (lists_token(*connection, "close")) keep_alive_ = false;
  }
  if (side_ != Side::response_head) choose_body_length();
}

// RFC 9112 section 5: a name, a colon at once, a value. A line that begins with white space would
// be a folded one, which section 5.2 lets a server refuse.
bool HttpFramer::parse_field(std::string_view line) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || !is_http_token(line.substr(0, colon))) return false;
  const std::string_view value = trim(line.substr(colon + 1));
  if (!is_printable(value)) return false;
  fields_.push_back({lower(line.substr(0, colon)), std::string(value)});
  return true;
}

// A request ends with its version, a response begins with it.
bool HttpFramer::parse_version() {
  const std::string_view line = start_line_;
  const std::size_t space = side_ == Side::request ? line.rfind(' ') : line.find(' ');
  if (space == std::string_view::npos) {
    fail(HttpError::bad_start_line);
    return false;
  }
  const std::string_view version =
      side_ == Side::request ? line.substr(space + 1) : line.substr(0, space);
  if (!version.starts_with("HTTP/")) {
    fail(HttpError::bad_start_line);
    return false;
  }
  if (version == "HTTP/1.0") {
    keep_alive_ = false;
  } else if (version != "HTTP/1.1") {
    fail(HttpError::unsupported_version);
    return false;
  }
  return true;
}

// RFC 9112 section 6.3, without the cases that end with the connection.
void HttpFramer::choose_body_length() {
  if (find_field(fields_, "transfer-encoding") != nullptr) return fail(HttpError::length_required);
  const auto lengths = std::ranges::count(fields_, "content-length", &HttpField::name);
  if (lengths == 0) {
    if (side_ == Side::response) fail(HttpError::length_required);
    return;
  }
  const auto length = content_length();
  if (!length) return fail(length.error());
  body_bytes_ = *length;
  if (body_bytes_ > limits_.body_bytes_max) fail(HttpError::body_too_large);
}

std::expected<std::size_t, HttpError> HttpFramer::content_length() const {
  const std::string* length = find_field(fields_, "content-length");
  const bool is_one = std::ranges::count(fields_, "content-length", &HttpField::name) == 1;
  if (!is_one || length->empty() || !std::ranges::all_of(*length, is_digit))
    return std::unexpected(HttpError::bad_content_length);
  if (length->size() > length_digits_max) return std::unexpected(HttpError::body_too_large);
  std::size_t bytes = 0;
  std::from_chars(length->data(), length->data() + length->size(), bytes);
  return bytes;
}

}  // namespace sidestream::control
