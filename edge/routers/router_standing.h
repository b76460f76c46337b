// What a router outside of this program has of the endpoints that should lead home, read back from
// it.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "control/endpoint.h"

namespace sidestream::edge {

struct RouterStanding {
  // Why something is missing that should be there, and what to do, for a person; empty: nothing is
  // known to be wrong.
  std::string problem = {};
  std::set<control::Endpoint> held = {};
  // Ports on which something is published: why the router does not listen there; empty: it does.
  std::map<std::uint16_t, std::string> ports = {};

  bool operator==(const RouterStanding&) const = default;
};

}  // namespace sidestream::edge
