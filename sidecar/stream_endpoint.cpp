#include "sidecar/stream_endpoint.h"

#include <algorithm>

namespace sidestream::sidecar {
namespace {

using control::Endpoint;

// The greater, the closer; 0: it is not by this one.
int closeness(const Endpoint& endpoint, const std::optional<ServerName>& name, std::uint16_t port) {
  const bool same_port = endpoint.port == port;
  if (!endpoint.name) return same_port ? 3 : 0;
  if (!name || !endpoint.name->matches(*name)) return 0;
  return (endpoint.name->is_wildcard() ? 1 : 2) + (same_port ? 3 : 0);
}

}  // namespace

std::string stream_endpoint(std::span<const Endpoint> publish,
                            const std::optional<ServerName>& name, std::uint16_t port) {
  const auto best = std::ranges::max_element(
      publish, {}, [&](const Endpoint& endpoint) { return closeness(endpoint, name, port); });
  if (best != publish.end() && closeness(*best, name, port) > 0) return best->text();
  // A name that was too long for the header: one endpoint on that port leaves no doubt.
  const auto on_port = [port](const Endpoint& endpoint) { return endpoint.port == port; };
  if (!name && std::ranges::count_if(publish, on_port) == 1)
    return std::ranges::find_if(publish, on_port)->text();
  return Endpoint{.name = name, .port = port}.text();
}

}  // namespace sidestream::sidecar
