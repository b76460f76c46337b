// Where a running program is asked, as its configuration says.
#pragma once

#include <expected>
#include <optional>
#include <string>

#include "streams/configuration_problem.h"
#include "streams/variables.h"

namespace sidestream::cli {

// `unix:/PATH` or `ADDRESS:PORT`. Of an edge's file or a sidecar's, or the environment; only
// `admin` is read, so that the file may need variables that are set for the program alone. None:
// neither says. The error is one line for a person.
[[nodiscard]] std::expected<std::optional<std::string>, std::string> admin_address_in(
    const std::optional<ConfigurationText>& file, const VariableSources& sources);

}  // namespace sidestream::cli
