// What a good configuration meets on this machine, as this user, now: ports that are taken, folders
// that cannot be used, names that nobody knows. `check` tells it as warnings, since the program may
// run as another user, elsewhere or later.
#pragma once

#include <string>
#include <vector>

#include "edge/edge_configuration.h"
#include "sidecar/sidecar_configuration.h"
#include "streams/time.h"

namespace sidestream::cli {

struct MachineCheckLimits {
  std::size_t ports_max = 2048;  // public ports that are tried
  std::size_t names_max = 64;    // names that are looked up
  Duration lookup_timeout = 3s;  // for each of them
};

// One line each, with the key that it is about. Ports are tried for a moment, and not at all while
// a program answers at the admin address, which has them. Nothing is written.
[[nodiscard]] std::vector<std::string> machine_findings(
    const edge::EdgeConfiguration& configuration, const MachineCheckLimits& limits = {});
[[nodiscard]] std::vector<std::string> machine_findings(
    const sidecar::SidecarConfiguration& configuration, const MachineCheckLimits& limits = {});

}  // namespace sidestream::cli
