// HAProxy, 2.4 and later, through its Runtime API: a map that says which names and ports lead home,
// and one server, which is the edge's inlet. docs/edges/haproxy.md has the configuration that it
// must have been started with.
#pragma once

#include <cstdint>
#include <string>

#include "edge/routers/haproxy_answers.h"
#include "edge/routers/router_driver_io.h"
#include "edge/routers/router_settings.h"
#include "streams/network_io.h"
#include "streams/state_file_io.h"

namespace sidestream::edge {

struct HaproxyLimits {
  Duration connect_time{2s};
  Duration answer_time{5s};
  std::size_t answer_bytes_max = 64UL << 20U;
};

class HaproxyDriver final : public RouterDriver {
 public:
  // `settings.map` is a path.
  HaproxyDriver(Network& network, HaproxySettings settings, const HaproxyLimits& limits = {});

  [[nodiscard]] std::string_view name() const override { return "haproxy"; }
  Task<RouterReport> synchronise(RouterWish wish) override;

 private:
  // Throws system_error.
  Task<std::string> ask(std::string command);
  Task<std::string> read_answer(Stream& stream, std::string command);
  Task<> work(const RouterWish& wish, RouterReport& report);
  Task<HaproxyView> look(RouterReport& report);
  [[nodiscard]] std::string server_command(const HaproxyView& view) const;
  void check_server(const HaproxyView& view) const;
  [[nodiscard]] const HaproxyView::Server* find_server(const HaproxyView& view) const;
  [[nodiscard]] bool leads_home(const HaproxyView::Server& server) const;
  void keep_file(const RouterWish& wish, RouterReport& report);
  [[nodiscard]] std::string explain(const system_error& failure) const;

  Network& network_;
  const HaproxySettings settings_;
  const HaproxyLimits limits_;
  SharedFile file_;
  std::uint64_t starts_ = 0;  // of HAProxy, that were noticed
  std::string pid_;
  std::uint64_t uptime_seconds_ = 0;
};

}  // namespace sidestream::edge
