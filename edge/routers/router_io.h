// What accepts public connections for the edge: the embedded router, or one outside of this
// program. It brings them to the EdgeRouter, which knows the routes and carries every stream; so
// names, limits, failover, records and metrics are the same whoever accepted the connection, and
// a router that is wrong about a name can send it home, but never to the wrong one.
//
// A router tells the lease table which ports it listens on and, when it is outside of this program,
// what it has been seen to have: an endpoint is `granted` only then. It runs on the edge's thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "edge/lease_table.h"
#include "edge/publish_rules.h"
#include "edge/route_table.h"
#include "streams/asio_io.h"

namespace sidestream::edge {

class Router {
 public:
  Router() = default;
  Router(const Router&) = delete;
  Router& operator=(const Router&) = delete;
  virtual ~Router() = default;

  // The endpoints that must lead home from now on; the whole truth each time. What the router has
  // of them at once, it has told the lease table when this returns.
  virtual void set_routes(const std::vector<Route>& routes) = 0;
  // Where endpoints may appear, when that changes.
  virtual void set_public_ports(const std::vector<PortRange>& ports) = 0;
  // Returns when the router has been told of the last routes and asked whether it has them, or
  // soon.
  virtual Task<> settled() = 0;
  // Called, never from inside the above, when the lease table was told something else than before.
  virtual void on_change(std::function<void()> callback) = 0;

  // Works until it is cancelled, which leaves the router's public side as it is.
  virtual Task<> run() = 0;
  // Accepts nothing more. Live streams stay.
  virtual void close() = 0;

  // ---- from one process to the next: docs/protocols/handover.md ------------------------------
  // What it listens on, by port; those listeners that have a descriptor.
  [[nodiscard]] virtual std::map<std::uint16_t, int> listeners() const = 0;
  // The public ports that it has opened itself.
  [[nodiscard]] virtual std::vector<std::uint16_t> open_ports() const = 0;
  // Listens where the process before did; before run().
  virtual void go_on(const std::vector<std::uint16_t>& public_ports) = 0;

  // ---- status --------------------------------------------------------------------------------
  // `embedded`, `haproxy 2.6.12`; and why it does not do all that it should, empty when
  // it does.
  [[nodiscard]] virtual std::string text() const = 0;
  [[nodiscard]] virtual std::string problem() const = 0;
  // Ports on which the router is known to listen, and on which it should and does not.
  struct Ports {
    std::size_t open = 0;
    std::size_t failed = 0;
  };
  [[nodiscard]] virtual Ports ports() const = 0;
};

}  // namespace sidestream::edge
