// Reads the keys of a service that are about ending TLS here.
#pragma once

#include <vector>

#include "sidecar/sidecar_configuration.h"
#include "streams/configuration_reader.h"

namespace sidestream::sidecar {

// `certificate`, `alpn` and `client_ca`. Files are read to see whether they are good. When TLS does
// not end here the keys are problems.
[[nodiscard]] TlsSettings read_tls_settings(ConfigurationSection& service, bool ends_here,
                                            const std::vector<control::Endpoint>& publish);

}  // namespace sidestream::sidecar
