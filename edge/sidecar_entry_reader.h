// Reads `sidecars` of edge.yaml.
#pragma once

#include <vector>

#include "edge/edge_configuration.h"
#include "streams/configuration_reader.h"

namespace sidestream::edge {

// `edge` has its network and public ports already; entries are checked against them and against
// each other. A network of length 0, or no ports: those keys are wrong themselves, so that nothing
// can be checked against them.
[[nodiscard]] std::vector<SidecarEntry> read_sidecar_entries(const ConfigurationValue& sidecars,
                                                             const EdgeConfiguration& edge);

}  // namespace sidestream::edge
