#include "control/http_message.h"

#include <algorithm>

namespace sidestream::control {
namespace {

constexpr std::size_t target_bytes_max = 2048;
constexpr std::size_t method_bytes_max = 16;

bool is_target(std::string_view target) {
  return target.starts_with('/') && target.size() <= target_bytes_max &&
         std::ranges::all_of(target, [](char c) { return c > ' ' && c <= '~' && c != '#'; });
}

// RFC 9112 section 3: method SP target SP version.
bool parse_request_line(std::string_view line, HttpRequest& request) {
  const std::size_t method_end = line.find(' ');
  const std::size_t target_end = line.rfind(' ');
  if (method_end == target_end) return false;
  request.method = line.substr(0, method_end);
  request.target = line.substr(method_end + 1, target_end - method_end - 1);
  return request.method.size() <= method_bytes_max && is_http_token(request.method) &&
         is_target(request.target);
}

void append_fields(std::string& text, const HttpFields& fields) {
  for (const HttpField& field : fields) {
    text += field.name;
    text += ": ";
    for (const char c : field.value) text += c >= ' ' && c <= '~' ? c : ' ';
    text += "\r\n";
  }
}

void append_body(std::string& text, bool keep_alive, const std::string& body) {
  if (!keep_alive) text += "connection: close\r\n";
  text += "content-length: ";
  text += std::to_string(body.size());
  text += "\r\n\r\n";
  text += body;
}

}  // namespace

// RFC 9112 section 4: version SP three digits SP anything.
std::optional<unsigned> parse_status_line(std::string_view line) {
  line.remove_prefix(line.find(' ') + 1);
  if (line.size() < 3 || (line.size() > 3 && line[3] != ' ')) return std::nullopt;
  unsigned value = 0;
  for (const char digit : line.substr(0, 3)) {
    if (digit < '0' || digit > '9') return std::nullopt;
    value = value * 10 + static_cast<unsigned>(digit - '0');
  }
  if (value < 100 || value > 599) return std::nullopt;
  return value;
}

HttpFramer::Fed HttpRequestParser::feed(Bytes bytes) {
  if (error_) return {HttpProgress::failed, 0};
  const HttpFramer::Fed fed = framer_.feed(bytes);
  if (fed.progress != HttpProgress::done || parsed_) return fed;
  parsed_ = true;
  const auto hosts = std::ranges::count(framer_.fields(), "host", &HttpField::name);
  // HTTP/1.0 clients may leave it out (RFC 9112 section 3.2).
  const bool host_optional = framer_.start_line().ends_with("HTTP/1.0");
  if (!parse_request_line(framer_.start_line(), request_)) {
    error_ = HttpError::bad_start_line;
  } else if (hosts > 1 || (hosts == 0 && !host_optional)) {
    error_ = HttpError::bad_host;
  }
  if (error_) return {HttpProgress::failed, fed.consumed};
  request_.fields = std::move(framer_.fields());
  request_.body = std::move(framer_.body());
  request_.keep_alive = framer_.keep_alive();
  return fed;
}

HttpFramer::Fed HttpResponseParser::feed(Bytes bytes) {
  if (error_) return {HttpProgress::failed, 0};
  const HttpFramer::Fed fed = framer_.feed(bytes);
  if (fed.progress != HttpProgress::done || parsed_) return fed;
  parsed_ = true;
  const auto status = parse_status_line(framer_.start_line());
  if (!status) {
    error_ = HttpError::bad_start_line;
    return {HttpProgress::failed, fed.consumed};
  }
  response_.status = *status;
  response_.fields = std::move(framer_.fields());
  response_.body = std::move(framer_.body());
  response_.keep_alive = framer_.keep_alive();
  return fed;
}

std::string serialize(const HttpRequest& request) {
  std::string text = request.method + ' ' + request.target + " HTTP/1.1\r\n";
  append_fields(text, request.fields);
  append_body(text, request.keep_alive, request.body);
  return text;
}

std::string serialize(const HttpResponse& response) {
  std::string text = "HTTP/1.1 " + std::to_string(response.status) + ' ';
  text += reason_phrase(response.status);
  text += "\r\n";
  append_fields(text, response.fields);
  append_body(text, response.keep_alive, response.body);
  return text;
}

std::string_view reason_phrase(unsigned status) {
  switch (status) {
    case 200:
      return "OK";
    case 400:
      return "Bad Request";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 410:
      return "Gone";
    case 411:
      return "Length Required";
    case 413:
      return "Content Too Large";
    case 415:
      return "Unsupported Media Type";
    case 417:
      return "Expectation Failed";
    case 426:
      return "Upgrade Required";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 503:
      return "Service Unavailable";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "Status";
  }
}

}  // namespace sidestream::control
