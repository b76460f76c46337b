// The router that needs no other program: the edge listens on the public ports itself.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "edge/edge_router_io.h"
#include "edge/routers/router_io.h"
#include "streams/event_io.h"
#include "streams/log_io.h"
#include "streams/network_io.h"

namespace sidestream::edge {

class EmbeddedRouter final : public Router {
 public:
  // All outlive it. `held_ports` are public ports whose sockets somebody else keeps open: clients
  // wait there until the sidecars have had time to publish, and are answered then in any case.
  EmbeddedRouter(Network& network, EdgeRouter& streams, LeaseTable& leases, const Log& log,
                 std::vector<std::uint16_t> held_ports);

  // A port stays open once it is: it needs no privilege a second time, and clients of a sidecar
  // that is away learn so at once.
  void set_routes(const std::vector<Route>& routes) override;
  // Closes those that are no longer among them.
  void set_public_ports(const std::vector<PortRange>& ports) override;
  Task<> settled() override { co_return; }
  void on_change(std::function<void()> callback) override { on_change_ = std::move(callback); }
  Task<> run() override;
  void close() override {}  // the ports are the EdgeRouter's
  [[nodiscard]] std::map<std::uint16_t, int> listeners() const override {
    return streams_.listeners();
  }
  [[nodiscard]] std::vector<std::uint16_t> open_ports() const override {
    return {open_ports_.begin(), open_ports_.end()};
  }
  void go_on(const std::vector<std::uint16_t>& public_ports) override;
  [[nodiscard]] std::string text() const override { return "embedded"; }
  [[nodiscard]] std::string problem() const override { return {}; }
  [[nodiscard]] Ports ports() const override {
    return {.open = open_ports_.size(), .failed = failed_ports_.size()};
  }

 private:
  void open(std::uint16_t port);
  Task<> open_held();
  Task<> try_again();

  Network& network_;
  EdgeRouter& streams_;
  LeaseTable& leases_;
  const Log& log_;
  const std::vector<std::uint16_t> held_ports_;
  std::function<void()> on_change_;
  std::set<std::uint16_t> wanted_ports_;
  std::set<std::uint16_t> open_ports_;
  std::map<std::uint16_t, std::string> failed_ports_;  // wanted, and why they are not open
  Event port_failed_;
};

}  // namespace sidestream::edge
