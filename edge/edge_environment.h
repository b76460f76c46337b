// The edge that needs no file: which variable gives which key of edge.yaml. `sidecars` have none:
// without a file they are enrolled with `sidestream invite`.
#pragma once

#include <vector>

#include "control/configuration_environment.h"

namespace sidestream::edge {

[[nodiscard]] std::vector<control::EnvironmentKey> edge_environment();

}  // namespace sidestream::edge
