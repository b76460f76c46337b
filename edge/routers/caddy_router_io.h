// Caddy with the app layer4, by its admin API, which changes its configuration while it runs.
// docs/edges/caddy.md has the configuration that it must have been started with.
#pragma once

#include <string>

#include "control/http_message.h"
#include "edge/routers/caddy_document.h"
#include "edge/routers/router_driver_io.h"
#include "edge/routers/router_settings.h"
#include "streams/network_io.h"

namespace sidestream::edge {

struct CaddyLimits {
  Duration answer_time{5s};  // a change is in force when Caddy answers
  std::size_t answer_bytes_max = 64UL << 20U;
};

class CaddyDriver final : public RouterDriver {
 public:
  CaddyDriver(Network& network, CaddySettings settings, const CaddyLimits& limits = {});

  [[nodiscard]] std::string_view name() const override { return "caddy"; }
  Task<RouterReport> synchronise(RouterWish wish) override;

 private:
  Task<> work(const RouterWish& wish, RouterReport& report);
  Task<CaddyView> look();
  Task<control::HttpResponse> ask(CaddyRequest question);

  Network& network_;
  const CaddySettings settings_;
  const CaddyLimits limits_;
  const std::string inlet_;  // as Caddy writes it
};

}  // namespace sidestream::edge
