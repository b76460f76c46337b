// Traefik, 2.x and 3.x, by its HTTP provider, which asks us every few seconds what to route, or by
// its file provider; its API says what it has. docs/edges/traefik.md has the configuration that it
// must have been started with.
#pragma once

#include <string>

#include "control/http_server_io.h"
#include "edge/routers/router_driver_io.h"
#include "edge/routers/router_settings.h"
#include "edge/routers/traefik_document.h"
#include "streams/event_io.h"
#include "streams/network_io.h"
#include "streams/state_file_io.h"

namespace sidestream::edge {

struct TraefikLimits {
  Duration answer_time{3s};
  std::size_t answer_bytes_max = 64UL << 20U;
  Duration listen_again_after{1s};
  // For the first document after our start. Less than Traefik waits for an answer (pollTimeout),
  // since after an error it asks at growing intervals.
  Duration document_time{4s};
};

class TraefikDriver final : public RouterDriver, private control::HttpService {
 public:
  TraefikDriver(Network& network, TraefikSettings settings, const TraefikLimits& limits = {});

  [[nodiscard]] std::string_view name() const override { return "traefik"; }
  Task<RouterReport> synchronise(RouterWish wish) override;
  // Serves the document, unless it is written into a file.
  Task<> run() override;

  static constexpr std::string_view document_target = "/sidestream";

 private:
  Task<control::HttpResponse> respond(control::HttpRequest request, SocketAddress client) override;
  Task<std::string> get(std::string target);
  Task<> work(const RouterWish& wish, RouterReport& report);
  void keep_file(RouterReport& report);

  Network& network_;
  const TraefikSettings settings_;
  const TraefikLimits limits_;
  SharedFile file_;
  std::string document_;  // empty: not known yet; then Traefik keeps what it has
  Event document_known_;
  std::string why_not_served_;
};

}  // namespace sidestream::edge
