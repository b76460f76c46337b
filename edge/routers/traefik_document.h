// What Traefik is told and what it tells: the dynamic configuration that its HTTP provider asks
// for or reads from a file, and the answers of its API (/api/entrypoints, /api/rawdata).
//
// The PROXY header is asked for at the load balancer and not at a serversTransport: Traefik before
// 3.7 does not know it there, and every one of version 2 and 3 knows it here.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "control/endpoint.h"

namespace sidestream::edge {

// The entry points that Traefik was started with: TCP port to name.
using TraefikEntryPoints = std::map<std::uint16_t, std::string>;

// nullopt: this is no such answer.
[[nodiscard]] std::optional<TraefikEntryPoints> parse_traefik_entry_points(std::string_view answer);

struct TraefikRouter {
  std::string name;
  std::string rule;
  std::string entry_point;
  bool passthrough = false;  // only TLS streams, unchanged; else such without TLS
  bool operator==(const TraefikRouter&) const = default;
};
// Those that an endpoint needs; none: there is no entry point on its port. `:PORT` needs two where
// names are published as well: Traefik then tells TLS from the rest.
[[nodiscard]] std::vector<TraefikRouter> traefik_routers(const control::Endpoint& endpoint,
                                                         const TraefikEntryPoints& entry_points,
                                                         bool port_has_names);

// The document for all endpoints; `inlet` is `ADDRESS:PORT`.
[[nodiscard]] std::string traefik_document(const std::set<control::Endpoint>& endpoints,
                                           const TraefikEntryPoints& entry_points,
                                           const std::string& inlet);
// Those endpoints all of whose routers Traefik has, from our document and without an error.
// `provider` is how it got the document: `http` or `file`.
[[nodiscard]] std::optional<std::set<control::Endpoint>> parse_traefik_held(
    std::string_view answer, const std::set<control::Endpoint>& endpoints,
    const TraefikEntryPoints& entry_points, std::string_view provider);

}  // namespace sidestream::edge
