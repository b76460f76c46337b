#include "control/endpoint.h"

#include "control/endpoint_notation.h"

namespace sidestream::control {

std::expected<Endpoint, std::string> Endpoint::parse(std::string_view text) {
  auto parts = split_endpoint(text);
  if (!parts) return std::unexpected(std::move(parts.error()));
  Endpoint endpoint{.name = std::move(parts->name)};
  if (parts->ports) {
    auto port = parse_port(*parts->ports, text);
    if (!port) return std::unexpected(std::move(port.error()));
    endpoint.port = *port;
  }
  return endpoint;
}

std::string Endpoint::text() const {
  if (!name) return ":" + std::to_string(port);
  if (port == default_port) return name->text();
  return name->text() + ":" + std::to_string(port);
}

}  // namespace sidestream::control
