#include "edge/routers/embedded_router_io.h"

#include <algorithm>
#include <utility>

#include "streams/join_io.h"
#include "streams/listen_failure.h"

namespace sidestream::edge {
namespace {

constexpr Duration retry_interval = 5s;
constexpr Duration time_to_publish = 3s;

}  // namespace

EmbeddedRouter::EmbeddedRouter(Network& network, EdgeRouter& streams, LeaseTable& leases,
                               const Log& log, std::vector<std::uint16_t> held_ports)
    : network_(network),
      streams_(streams),
      leases_(leases),
      log_(log),
      held_ports_(std::move(held_ports)) {}

void EmbeddedRouter::set_routes(const std::vector<Route>& routes) {
  wanted_ports_.clear();
  for (const Route& route : routes) wanted_ports_.insert(route.endpoint.port);
  std::erase_if(failed_ports_,
                [this](const auto& failed) { return !wanted_ports_.contains(failed.first); });
  for (const std::uint16_t port : wanted_ports_) open(port);
  if (!failed_ports_.empty()) port_failed_.notify_all();
}

void EmbeddedRouter::open(std::uint16_t port) {
  if (open_ports_.contains(port)) return;
  const auto opened = streams_.open_port(port);
  if (opened) {
    open_ports_.insert(port);
    failed_ports_.erase(port);
    leases_.on_port_open(port);
    log_.info("port open", {{"port", std::uint64_t{port}}});
    return;
  }
  std::string why = explain_listen_failure(opened.error(), port);
  leases_.on_port_failed(port, why);
  std::string& told = failed_ports_[port];
  if (told == why) return;
  log_.error("port cannot be opened", {{"port", std::uint64_t{port}}, {"why", why}});
  told = std::move(why);
}

void EmbeddedRouter::go_on(const std::vector<std::uint16_t>& public_ports) {
  for (const std::uint16_t port : public_ports) open(port);
}

void EmbeddedRouter::set_public_ports(const std::vector<PortRange>& ports) {
  std::erase_if(open_ports_, [&](std::uint16_t port) {
    const bool stays = std::ranges::any_of(
        ports, [port](const PortRange& range) { return range.low <= port && port <= range.high; });
    if (stays) return false;
    streams_.close_port(port);
    leases_.on_port_closed(port);
    log_.info("port closed", {{"port", std::uint64_t{port}}});
    return true;
  });
}

Task<> EmbeddedRouter::run() {
  co_await both(open_held(), try_again());
}

Task<> EmbeddedRouter::open_held() {
  if (held_ports_.empty()) co_return;
  co_await network_.timers().sleep_for(time_to_publish);
  for (const std::uint16_t port : held_ports_) open(port);
}

// What was in the way of a port may have gone.
Task<> EmbeddedRouter::try_again() {
  for (;;) {
    while (failed_ports_.empty()) co_await port_failed_.wait();
    co_await network_.timers().sleep_for(retry_interval);
    const auto failed = failed_ports_;
    for (const auto& [port, why] : failed) open(port);
    if (failed_ports_ != failed && on_change_) on_change_();
  }
}

}  // namespace sidestream::edge
