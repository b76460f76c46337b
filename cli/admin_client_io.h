// Asks a running program something at its admin address.
#pragma once

#include <expected>
#include <optional>
#include <string>

#include "control/http_message.h"

namespace sidestream::cli {

// `address` is `unix:PATH` or `ADDRESS:PORT`; none: where programs listen without configuration.
// The error is one line for a person: nobody answers there, or not in time.
[[nodiscard]] std::expected<control::HttpResponse, std::string> ask_program(
    const std::optional<std::string>& address, control::HttpRequest request);

}  // namespace sidestream::cli
