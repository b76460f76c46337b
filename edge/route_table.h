// Where streams go: the endpoints that sidecars have published, looked up by port and server name.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "control/endpoint.h"
#include "streams/ip_address.h"

namespace sidestream::edge {

// One sidecar's service that takes the streams of an endpoint.
struct RouteTarget {
  std::string sidecar;
  std::string service;
  SocketAddress tunnel_address;  // where the sidecar listens for it
  // Greater ones come first; equal ones take turns.
  unsigned priority = 0;

  bool operator==(const RouteTarget&) const = default;
};

struct Route {
  control::Endpoint endpoint;
  // In the order in which they are tried but for turns: by descending priority. None: the endpoint
  // is kept for a sidecar that is away, and its streams go nowhere, in particular not to a
  // wildcard or a port default that would match as well.
  std::vector<RouteTarget> targets;

  bool operator==(const Route&) const = default;

  // The targets in the order in which stream number `turn` of this route tries them: among equal
  // priorities each one comes first in turn.
  [[nodiscard]] std::vector<RouteTarget> targets_for(std::uint64_t turn) const;
};

class RouteTable {
 public:
  // The whole truth each time; of two routes for one endpoint the first counts. Live streams are
  // not this table's business.
  void replace(std::vector<Route> routes);

  // The route for a stream that came to `port` and said `name`: the exact name, else the wildcard,
  // else the port's default. The pointer is good until the next replace().
  [[nodiscard]] const Route* find(std::uint16_t port, const std::optional<ServerName>& name) const;
  // Whether a stream on this port must say a name before its route is known.
  [[nodiscard]] bool names_published_on(std::uint16_t port) const;
  // The route of `:port`.
  [[nodiscard]] const Route* port_default(std::uint16_t port) const;

  [[nodiscard]] std::size_t size() const { return routes_.size(); }

 private:
  [[nodiscard]] const Route* find(const control::Endpoint& endpoint) const;

  std::unordered_map<control::Endpoint, Route> routes_;
  std::unordered_map<std::uint16_t, std::size_t> names_on_port_;
};

}  // namespace sidestream::edge
