// A router outside of this program: its driver brings it in step with the routes at once when they
// change, and looks after it every two seconds, so that one that was down, restarted or changed by
// hand is right again within five. Its streams come in through an inlet.
//
// Entries that lead home stay in the router when the edge stops: its clients then wait for the next
// one, as long as the router tries, instead of falling to whatever else the router has for them.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "edge/routers/router_driver_io.h"
#include "edge/routers/router_inlet_io.h"
#include "edge/routers/router_io.h"
#include "streams/event_io.h"

namespace sidestream::edge {

struct ForeignRouterLimits {
  Duration look_every{2s};
  // Nothing is removed before, so that an edge that was started again does not take away what its
  // sidecars are about to publish; longer than a lease.
  Duration keep_others_for{10s};
  // For a sidecar that waits for the answer to what it wants to publish; well below its patience.
  Duration settle_time{500ms};
  // For the first sidecar to publish, before streams that wait in the inlet are answered.
  Duration time_to_publish{3s};
};

class ForeignRouter final : public Router {
 public:
  // All references outlive it.
  ForeignRouter(Network& network, EdgeRouter& streams, LeaseTable& leases, const Log& log,
                std::unique_ptr<RouterDriver> driver, RouterInletSettings inlet,
                const ForeignRouterLimits& limits = {});

  void set_routes(const std::vector<Route>& routes) override;
  void set_public_ports(const std::vector<PortRange>&) override {}  // the router's own matter
  Task<> settled() override;
  void on_change(std::function<void()> callback) override { on_change_ = std::move(callback); }
  Task<> run() override;
  void close() override { inlet_.close(); }
  [[nodiscard]] std::map<std::uint16_t, int> listeners() const override {
    return inlet_.listeners();
  }
  [[nodiscard]] std::vector<std::uint16_t> open_ports() const override { return {}; }
  void go_on(const std::vector<std::uint16_t>&) override { (void)inlet_.open(); }
  [[nodiscard]] std::string text() const override;
  [[nodiscard]] std::string problem() const override { return report_.standing.problem; }
  [[nodiscard]] Ports ports() const override;

 private:
  Task<> serve();
  Task<> accept();
  Task<> look_after();
  void take(RouterReport report, bool same_wish);
  void tell(const RouterReport& report, bool same_wish);

  Network& network_;
  LeaseTable& leases_;
  const Log& log_;
  const ForeignRouterLimits limits_;
  const Instant started_;
  std::unique_ptr<RouterDriver> driver_;
  RouterInlet inlet_;
  std::function<void()> on_change_;
  std::set<control::Endpoint> wanted_;
  Event wanted_changed_;
  Event looked_;
  RouterReport report_;
  bool in_step_ = false;
  RouterWish wish_looked_at_;
};

}  // namespace sidestream::edge
