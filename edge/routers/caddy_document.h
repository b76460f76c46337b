// What Caddy is told and what it tells: the part of its configuration that is ours, for the app
// `layer4` (github.com/mholt/caddy-l4). All that is ours leads to one place, the edge's inlet, so
// that there is one object for each port, found by its `@id`: a server of our own, or, where
// somebody has a layer4 server on that port already, one route in front of its others.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "control/endpoint.h"
#include "control/json.h"

namespace sidestream::edge {

// What Caddy's configuration says about the ports that matter to us.
struct CaddyView {
  struct Ours {
    std::string id;            // of the object
    control::Json object;      // as Caddy has it
    bool is_route = false;     // in a server of somebody else
    std::size_t position = 0;  // among that server's routes
  };
  std::map<std::uint16_t, Ours> ours;
  struct Theirs {
    std::string name;         // of the server
    bool has_routes = false;  // a list, which may be empty
    bool is_empty = true;
  };
  std::map<std::uint16_t, Theirs>
      layer4;                    // servers of others, by the TCP ports that they listen on
  std::set<std::uint16_t> http;  // ports of the app `http`
};
// nullopt: this is no such answer.
[[nodiscard]] std::optional<CaddyView> parse_caddy_configuration(std::string_view answer);

struct CaddyRequest {
  std::string method;
  std::string target;
  std::string body;
  bool operator==(const CaddyRequest&) const = default;
};
// What makes Caddy have these endpoints and no others of ours; with `keep_others` it keeps those
// that it has besides. `inlet` is where streams go, as Caddy writes it (`127.0.0.1:5150`,
// `unix//run/x.sock`).
[[nodiscard]] std::vector<CaddyRequest> caddy_requests(const CaddyView& view,
                                                       const std::set<control::Endpoint>& endpoints,
                                                       bool keep_others, std::string_view inlet);
// Those endpoints that Caddy has, leading to the inlet.
[[nodiscard]] std::set<control::Endpoint> caddy_held(const CaddyView& view,
                                                     const std::set<control::Endpoint>& endpoints,
                                                     std::string_view inlet);

}  // namespace sidestream::edge
