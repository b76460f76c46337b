// Reads the keys of a service that are about ending TLS here, and about TLS towards backends.
#pragma once

#include <string>
#include <vector>

#include "sidecar/sidecar_configuration.h"
#include "streams/configuration_reader.h"

namespace sidestream::sidecar {

// The path of a file with certificates of authorities, which is read to see whether it is good.
[[nodiscard]] std::string read_authorities(const ConfigurationValue& value);

// `certificate`, `alpn` and `client_ca`. Files are read to see whether they are good. When TLS does
// not end here the keys are problems.
[[nodiscard]] TlsSettings read_tls_settings(ConfigurationSection& service, bool ends_here,
                                            const std::vector<control::Endpoint>& publish,
                                            bool acme_has_wildcards = false);

// `server_name` and `ca`. `service` has its endpoints, its backends and `tls` already.
[[nodiscard]] BackendTlsSettings read_backend_tls_settings(ConfigurationSection& section,
                                                           const ServiceConfiguration& service);

}  // namespace sidestream::sidecar
