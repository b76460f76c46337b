// Where a service appears on an edge, in the one notation that users type: `NAME`, `NAME:PORT` or
// `:PORT`, NAME with an optional leading `*.`.
#pragma once

#include <compare>
#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "streams/server_name.h"

namespace sidestream::control {

// With a name: the streams on `port` whose server name it matches. Without: the streams on `port`
// that no name claims.
struct Endpoint {
  static constexpr std::uint16_t default_port = 443;

  std::optional<ServerName> name;
  std::uint16_t port = default_port;

  // The error is one line for a person: the text in quotes, what is wrong, what to write instead.
  static std::expected<Endpoint, std::string> parse(std::string_view text);
  // The shortest text that parses to the same value: port 443 is left out after a name.
  [[nodiscard]] std::string text() const;

  auto operator<=>(const Endpoint&) const = default;
};

}  // namespace sidestream::control

template <>
struct std::hash<sidestream::control::Endpoint> {
  std::size_t operator()(const sidestream::control::Endpoint& endpoint) const noexcept {
    const std::size_t name =
        endpoint.name ? std::hash<sidestream::ServerName>{}(*endpoint.name) : 0;
    return name * 31U + endpoint.port;
  }
};
