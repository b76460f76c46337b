// Reads `services` of sidecar.yaml.
#pragma once

#include <vector>

#include "sidecar/sidecar_configuration.h"
#include "streams/configuration_reader.h"

namespace sidestream::sidecar {

// Checks the services against each other too: no endpoint is published twice.
[[nodiscard]] std::vector<ServiceConfiguration> read_services(const ConfigurationValue& services,
                                                              bool acme_has_wildcards = false);

}  // namespace sidestream::sidecar
