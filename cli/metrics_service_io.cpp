#include "cli/metrics_service_io.h"

#include "control/metrics_page.h"

namespace sidestream::cli {

control::HttpServerLimits metrics_server_limits() {
  control::HttpServerLimits limits;
  limits.message.header_bytes_max = 8 * 1024;
  limits.message.body_bytes_max = 0;
  limits.connections_max = 64;
  limits.oldest_makes_room = true;
  // Longer than the pause between two scrapes usually is.
  limits.idle_timeout = 90s;
  return limits;
}

control::HttpResponse metrics_response(std::string page) {
  control::HttpResponse response;
  response.fields = {{"content-type", std::string(control::metrics_content_type)}};
  response.body = std::move(page);
  return response;
}

Task<control::HttpResponse> MetricsService::respond(control::HttpRequest request, SocketAddress) {
  // Host may be any name here: the page has no secrets. Web pages have no business with it all the
  // same.
  if (control::find_field(request.fields, "origin") != nullptr)
    co_return control::error_response(403, "not_allowed",
                                      "web pages may not ask here, programs may");
  if (request.target != control::metrics_target)
    co_return control::error_response(404, "not_found", "there is nothing here but /metrics");
  if (request.method != "GET")
    co_return control::error_response(405, "bad_method", "metrics can be read with GET only");
  const Instant now = timers_.now();
  if (!written_at_ || now - *written_at_ >= page_age_max) {
    written_ = page_();
    written_at_ = now;
  }
  co_return metrics_response(written_);
}

}  // namespace sidestream::cli
