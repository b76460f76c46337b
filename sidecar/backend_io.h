// Connecting to a backend and asking it whether it is well.
#pragma once

#include <expected>
#include <memory>
#include <string>
#include <vector>

#include "sidecar/backend_address.h"
#include "sidecar/health.h"
#include "streams/network_io.h"
#include "streams/tls_client.h"

namespace sidestream::sidecar {

// How a connection to a backend begins.
struct BackendOpening {
  std::vector<std::uint8_t> first_bytes{};  // before everything else, TLS too
  // For backends that are spoken to in TLS. Their certificate has to be for `server_name`, or for
  // their host when that is empty. nullptr: none of them can be dialled.
  const TlsClient* tls = nullptr;
  std::string server_name{};
  std::string problem{};  // filled in: what went wrong with TLS, for a person; else empty
};

// Connects to a backend; with TLS, if it shows a good certificate. A name is resolved anew at each
// call, and all its addresses are tried. Throws what the last
// attempt threw; timed_out after `timeout` in all. `network` and `opening` must outlive the call.
Task<std::unique_ptr<Stream>> dial_backend(Network& network, BackendAddress backend,
                                           Duration timeout, BackendOpening* opening = nullptr);

// Probes a backend once. The error is a reason for a person. Only cancelling throws.
Task<std::expected<void, std::string>> probe_backend(Network& network, HealthKind kind,
                                                     BackendAddress backend,
                                                     std::string server_name, Duration timeout,
                                                     BackendOpening* opening = nullptr);

}  // namespace sidestream::sidecar
