#include "edge/route_table.h"

#include <algorithm>
#include <utility>

namespace sidestream::edge {

std::vector<RouteTarget> Route::targets_for(std::uint64_t turn) const {
  std::vector<RouteTarget> ordered = targets;
  for (auto first = ordered.begin(); first != ordered.end();) {
    const auto last = std::find_if(first, ordered.end(), [&](const RouteTarget& target) {
      return target.priority != first->priority;
    });
    const auto shift = static_cast<std::ptrdiff_t>(turn % static_cast<std::uint64_t>(last - first));
    std::rotate(first, first + shift, last);
    first = last;
  }
  return ordered;
}

void RouteTable::replace(std::vector<Route> routes) {
  routes_.clear();
  names_on_port_.clear();
  for (Route& route : routes) {
    std::ranges::stable_sort(route.targets, std::ranges::greater(), &RouteTarget::priority);
    const control::Endpoint endpoint = route.endpoint;
    if (routes_.try_emplace(endpoint, std::move(route)).second && endpoint.name)
      ++names_on_port_[endpoint.port];
  }
}

const Route* RouteTable::find(std::uint16_t port, const std::optional<ServerName>& name) const {
  if (name && names_published_on(port)) {
    if (const Route* exact = find({.name = name, .port = port})) return exact;
    if (auto wildcard = name->wildcard()) {
      if (const Route* matching = find({.name = std::move(wildcard), .port = port}))
        return matching;
    }
  }
  return port_default(port);
}

bool RouteTable::names_published_on(std::uint16_t port) const {
  return names_on_port_.contains(port);
}

const Route* RouteTable::port_default(std::uint16_t port) const {
  return find({.name = std::nullopt, .port = port});
}

const Route* RouteTable::find(const control::Endpoint& endpoint) const {
  const auto route = routes_.find(endpoint);
  return route == routes_.end() ? nullptr : &route->second;
}

}  // namespace sidestream::edge
