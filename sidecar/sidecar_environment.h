// The sidecar that needs no file: which variable gives which key of sidecar.yaml.
#pragma once

#include <string_view>
#include <vector>

#include "control/configuration_environment.h"

namespace sidestream::sidecar {

// What the one service of the environment is called.
inline constexpr std::string_view environment_service = "default";

// Those of the edges and of the service stand in place of all of the file's `edges` and `services`.
[[nodiscard]] std::vector<control::EnvironmentKey> sidecar_environment();

}  // namespace sidestream::sidecar
