// NGINX with its stream module, 1.18 and later: one file that it includes, which is written anew
// and loaded by a reload, of which there is one in several seconds at most: the workers of before
// live on as long as their streams. NGINX says over loopback which file it has loaded.
// docs/edges/nginx.md has the configuration that it must have been started with.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>

#include "edge/routers/nginx_file.h"
#include "edge/routers/router_driver_io.h"
#include "edge/routers/router_settings.h"
#include "streams/network_io.h"
#include "streams/state_file_io.h"

namespace sidestream::edge {

struct NginxLimits {
  // Between two reloads, for whatever changes meanwhile.
  Duration reload_every{5s};
  // For workers of before to stop accepting, after the first of the new ones has answered.
  Duration handover_time{200ms};
  Duration ask_again_after{5s};  // when it has another one, for whatever reason
  Duration reload_time{3s};      // until the new ones answer; then something is wrong
  Duration ask_every{20ms};      // meanwhile
  Duration answer_time{2s};
  std::size_t generations_kept = 16;
};

class NginxDriver final : public RouterDriver {
 public:
  // `settings.file` is a path.
  NginxDriver(Network& network, NginxSettings settings, const NginxLimits& limits = {});

  [[nodiscard]] std::string_view name() const override { return "nginx"; }
  Task<RouterReport> synchronise(RouterWish wish) override;

 private:
  // What NGINX answers; throws system_error.
  struct Loaded {
    std::string generation;
    std::string version;
  };
  Task<Loaded> ask();
  Task<std::string> read_answer(Stream& stream);
  Task<> work(const RouterWish& wish, RouterReport& report);
  bool keep_file(const RouterWish& wish, RouterReport& report);
  // Why NGINX was not asked; empty: it was.
  std::string reload();
  Task<Loaded> wait_for_generation();
  void remember(const NginxFile& file);
  void look_at_ports(const RouterWish& wish, RouterReport& report) const;

  Network& network_;
  const NginxSettings settings_;
  const NginxLimits limits_;
  SharedFile file_;
  std::string generation_;           // of the file
  std::optional<Instant> asked_;     // when it was last to be reloaded
  std::optional<Instant> reloaded_;  // when it last was, for us
  std::map<std::string, std::set<control::Endpoint>> generations_;
};

}  // namespace sidestream::edge
