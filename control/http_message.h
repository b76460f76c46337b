// HTTP/1.1 requests and responses as values (RFC 9112), for the control protocol and the admin
// socket: incremental parsers with limits, and the way back to bytes.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "control/http_framing.h"

namespace sidestream::control {

struct HttpRequest {
  std::string method;
  std::string target;  // origin form: begins with '/', is printable and has no fragment
  HttpFields fields;
  std::string body;
  bool keep_alive = true;
  bool operator==(const HttpRequest&) const = default;
};

struct HttpResponse {
  unsigned status = 200;
  HttpFields fields;
  std::string body;
  bool keep_alive = true;
  bool operator==(const HttpResponse&) const = default;
};

class HttpRequestParser {
 public:
  explicit HttpRequestParser(const HttpLimits& limits = {})
      : framer_(HttpFramer::Side::request, limits) {}
  // After done or failed it consumes nothing more; a parser reads one message.
  HttpFramer::Fed feed(Bytes bytes);
  [[nodiscard]] bool begun() const { return framer_.begun(); }
  // Why it failed; none while it did not.
  [[nodiscard]] std::optional<HttpError> failure() const {
    return error_ ? error_ : framer_.failure();
  }
  // After done, once.
  [[nodiscard]] HttpRequest take() { return std::move(request_); }

 private:
  HttpFramer framer_;
  bool parsed_ = false;
  std::optional<HttpError> error_;
  HttpRequest request_;
};

class HttpResponseParser {
 public:
  explicit HttpResponseParser(const HttpLimits& limits = {})
      : framer_(HttpFramer::Side::response, limits) {}
  HttpFramer::Fed feed(Bytes bytes);
  [[nodiscard]] bool begun() const { return framer_.begun(); }
  // Why it failed; none while it did not.
  [[nodiscard]] std::optional<HttpError> failure() const {
    return error_ ? error_ : framer_.failure();
  }
  [[nodiscard]] HttpResponse take() { return std::move(response_); }

 private:
  HttpFramer framer_;
  bool parsed_ = false;
  std::optional<HttpError> error_;
  HttpResponse response_;
};

// Of the first line of a response: 100 to 599.
[[nodiscard]] std::optional<unsigned> parse_status_line(std::string_view line);

// Adds Content-Length and, when the connection is to end, Connection; both must not be in
// `fields`. Control characters in a field's value become spaces, so that none can end a line.
[[nodiscard]] std::string serialize(const HttpRequest& request);
[[nodiscard]] std::string serialize(const HttpResponse& response);

// The phrase of RFC 9110 section 15 for the codes that we send.
[[nodiscard]] std::string_view reason_phrase(unsigned status);

}  // namespace sidestream::control
