// The sidecar that needs no file: SIDESTREAM_TICKET (or SIDESTREAM_TICKET_FILE),
// SIDESTREAM_PUBLISH and SIDESTREAM_BACKEND. A variable that is empty counts as not set.
#pragma once

#include <optional>
#include <string_view>

#include "sidecar/sidecar_configuration.h"

namespace sidestream::sidecar {

inline constexpr std::string_view ticket_variable = "SIDESTREAM_TICKET";
inline constexpr std::string_view ticket_file_variable = "SIDESTREAM_TICKET_FILE";
inline constexpr std::string_view publish_variable = "SIDESTREAM_PUBLISH";
inline constexpr std::string_view backend_variable = "SIDESTREAM_BACKEND";
// What the service of SIDESTREAM_PUBLISH is called.
inline constexpr std::string_view environment_service = "default";

[[nodiscard]] bool is_set(const VariableSources& sources, std::string_view variable);

// Both return nothing when their variables are not set, or are wrong, which is reported.
[[nodiscard]] std::optional<EdgeEntry> read_edge_from_environment(const VariableSources& sources,
                                                                  ConfigurationProblems& problems);
[[nodiscard]] std::optional<ServiceConfiguration> read_service_from_environment(
    const VariableSources& sources, ConfigurationProblems& problems);

}  // namespace sidestream::sidecar
