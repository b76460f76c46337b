// The address that tells metrics and nothing else. Whoever can connect can read, so what is said is
// cheap, and nobody who holds a connection keeps others out.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "control/http_server_io.h"
#include "streams/timer_io.h"

namespace sidestream::cli {

[[nodiscard]] control::HttpServerLimits metrics_server_limits();
[[nodiscard]] control::HttpResponse metrics_response(std::string page);

class MetricsService final : public control::HttpService {
 public:
  // A page is as old as this at most; many who ask cost no more than one.
  static constexpr Duration page_age_max = 1s;

  // `timers` outlives it.
  MetricsService(Timers& timers, std::function<std::string()> page)
      : timers_(timers), page_(std::move(page)) {}

  Task<control::HttpResponse> respond(control::HttpRequest request, SocketAddress client) override;

 private:
  Timers& timers_;
  std::function<std::string()> page_;
  std::string written_;
  std::optional<Instant> written_at_;
};

}  // namespace sidestream::cli
