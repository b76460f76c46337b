// One HTTP request over a stream that is there already.
#pragma once

#include "control/http_download.h"
#include "control/http_message.h"
#include "streams/stream_io.h"

namespace sidestream::control {

// Sends the request and reads its response. `stream` must outlive the task; it is good for another
// exchange when the response keeps the connection alive, else for nothing.
// Throws eof when the peer ended before its response did, errc::bad_message when what came is not
// one response, and what the stream throws. Has no time limit of its own.
Task<HttpResponse> exchange(Stream& stream, HttpRequest request, HttpLimits limits);

// The same for servers that are not ours: the response may come in chunks or end with the
// connection, which is good for nothing after it.
Task<HttpResponse> fetch(Stream& stream, HttpRequest request, HttpLimits limits);

// A response that is read as it comes, for as long as it comes. Errors as above.
class HttpReading {
 public:
  // `stream` outlives it. `limits.body_bytes_max` is for what one read_some() returns.
  HttpReading(Stream& stream, const HttpLimits& limits) : stream_(stream), download_(limits) {}

  // Sends the request and waits for status and fields.
  Task<> begin(HttpRequest request);
  // The next bytes of the body; none at its end.
  Task<std::string> read_some();

  [[nodiscard]] unsigned status() const { return download_.status(); }
  [[nodiscard]] const HttpFields& fields() { return download_.fields(); }

 private:
  Task<> read_more();

  Stream& stream_;
  HttpDownload download_;
  HttpProgress progress_ = HttpProgress::need_more;
};

}  // namespace sidestream::control
