// The parts that endpoints and endpoint patterns are written with, and the messages about them.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "streams/server_name.h"

namespace sidestream::control {

// NAME and what follows the colon. At least one of the two is there.
struct EndpointParts {
  std::optional<ServerName> name;
  std::optional<std::string_view> ports;
};

// Errors are whole lines that begin with `text` in quotes.
[[nodiscard]] std::expected<EndpointParts, std::string> split_endpoint(std::string_view text);
[[nodiscard]] std::expected<std::uint16_t, std::string> parse_port(std::string_view digits,
                                                                   std::string_view text);
// `"text": what`, as in_quotes (message_text.h) shows the text: a ticket in a wrong place is
// masked.
[[nodiscard]] std::string endpoint_error(std::string_view text, std::string_view what);

}  // namespace sidestream::control
