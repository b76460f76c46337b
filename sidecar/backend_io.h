// Connecting to a backend and asking it whether it is well.
#pragma once

#include <expected>
#include <memory>
#include <string>
#include <vector>

#include "sidecar/backend_address.h"
#include "sidecar/health.h"
#include "streams/network_io.h"

namespace sidestream::sidecar {

// Connects to the first address that answers, in order. Names are resolved anew at each call, and
// all their addresses are tried. Throws what the last attempt threw; timed_out after `timeout` in
// all. `network` must outlive the call.
Task<std::unique_ptr<Stream>> dial_backend(Network& network, std::vector<BackendAddress> backends,
                                           Duration timeout);

// Probes a backend once. The error is a reason for a person. Only cancelling throws.
Task<std::expected<void, std::string>> probe_backend(Network& network, HealthKind kind,
                                                     std::vector<BackendAddress> backends,
                                                     std::string server_name, Duration timeout);

}  // namespace sidestream::sidecar
