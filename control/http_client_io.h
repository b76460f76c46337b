// One HTTP request over a stream that is there already.
#pragma once

#include "control/http_message.h"
#include "streams/stream_io.h"

namespace sidestream::control {

// Sends the request and reads its response. `stream` must outlive the task; it is good for another
// exchange when the response keeps the connection alive, else for nothing.
// Throws eof when the peer ended before its response did, errc::bad_message when what came is not
// one response, and what the stream throws. Has no time limit of its own.
Task<HttpResponse> exchange(Stream& stream, HttpRequest request, HttpLimits limits);

}  // namespace sidestream::control
