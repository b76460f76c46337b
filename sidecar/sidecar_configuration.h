// What a sidecar is told to do, as plain values, and how they are read from sidecar.yaml and the
// environment. docs/configuration.md describes every key.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "control/endpoint.h"
#include "control/program_configuration.h"
#include "sidecar/acme_settings.h"
#include "sidecar/backend_address.h"
#include "sidecar/backend_choice.h"
#include "sidecar/client_rules.h"
#include "sidecar/edge_entry.h"
#include "sidecar/engine_requests.h"
#include "sidecar/health.h"
#include "sidecar/service_limits.h"
#include "streams/configuration_problem.h"
#include "streams/variables.h"

namespace sidestream::sidecar {

enum class TlsMode : std::uint8_t {
  off,          // the sidecar takes the bytes for no TLS
  passthrough,  // TLS goes through to the backend, which ends it
  terminate,    // the sidecar ends it
};

// Where the certificate of a service comes from whose TLS ends here.
struct CertificateSource {
  enum class Kind : std::uint8_t { acme, self_signed, files };
  Kind kind = Kind::acme;
  std::string chain;  // paths, of files only
  std::string key;
  bool operator==(const CertificateSource&) const = default;
};

// What counts for a service only when its TLS ends here.
struct TlsSettings {
  static constexpr std::size_t alpn_max = 16;

  CertificateSource certificate;
  std::vector<std::string> alpn;  // in the order of preference; empty: not answered
  std::string client_ca;          // path; empty: clients show no certificate
  bool operator==(const TlsSettings&) const = default;
};

// What counts for a service only when its backends are spoken to in TLS.
struct BackendTlsSettings {
  std::string server_name;  // what their certificate has to be for; empty: their host
  std::string ca;           // path of authorities; empty: the system's
  bool operator==(const BackendTlsSettings&) const = default;
};
enum class ProxyProtocol : std::uint8_t { off, v1, v2 };

struct HealthSettings {
  HealthKind kind = HealthKind::tcp;
  Duration interval = HealthLimits{}.interval;
  Duration timeout = HealthLimits{}.timeout;
  std::optional<std::uint16_t> port;  // of the backend's host; none: the backend's own
  int rise = HealthLimits{}.successes_until_healthy;
  int fall = HealthLimits{}.failures_until_unhealthy;
  bool operator==(const HealthSettings&) const = default;
};

struct Backend {
  BackendAddress address;
  unsigned weight = 1;  // 1 to BackendChoiceLimits::weight_max
  bool operator==(const Backend&) const = default;
};

struct ServiceConfiguration {
  std::string name;
  std::vector<control::Endpoint> publish;             // at least one, none twice in a configuration
  std::vector<Backend> backends;                      // at least one, no address twice
  BackendChoiceSettings choice;                       // among them
  BackendTlsSettings backend_tls;                     // for those in TLS: all of them, or none
  std::optional<TlsMode> tls;                         // none: by endpoint, see tls_of
  TlsSettings tls_settings;                           // for terminate
  ProxyProtocol proxy_protocol = ProxyProtocol::off;  // towards the backend
  HealthSettings health;
  ClientRules rules;
  ServiceLimits limits;
  unsigned priority = 100;  // among sidecars with the same endpoint; the greatest serves

  // What `tls` says, or passthrough for names and off for ports.
  [[nodiscard]] TlsMode tls_of(const control::Endpoint& endpoint) const;
  bool operator==(const ServiceConfiguration&) const = default;
};

struct SidecarLimits {
  static constexpr std::size_t streams_max = 1'000'000;

  std::size_t streams = 10'000;  // of all services and edges
  bool has_streams = false;      // whether it was written
  std::size_t memory_bytes = 0;  // 0: what the control group allows
  bool operator==(const SidecarLimits&) const = default;
};

struct SidecarConfiguration {
  static constexpr std::uint16_t http_port = 80;  // where an authority looks with http-01
  static constexpr std::size_t services_max = 256;
  static constexpr std::size_t endpoints_max = 1000;  // of all services
  static constexpr std::size_t backends_max = 16;     // of one service

  std::vector<EdgeEntry> edges;  // at least one
  // In the order of the file; at least one, or none beside `docker`.
  std::vector<ServiceConfiguration> services;
  SidecarLimits limits;
  std::optional<EngineAddress> docker;  // whose containers' labels are read; none: nobody's
  AcmeSettings acme;
  control::TunnelSettings tunnel;
  control::ProgramConfiguration program;
};

// Of edges, as far as they are dialled by address.
[[nodiscard]] std::vector<IpAddress> edge_addresses(const SidecarConfiguration& configuration);
// Whether something of it must outlive a restart.
[[nodiscard]] bool needs_state(const SidecarConfiguration& configuration);

// Reads the file, if there is one, and the environment; docs/configuration.md says how they go
// together. The error holds every problem that was found.
[[nodiscard]] std::expected<SidecarConfiguration, ConfigurationProblems> read_sidecar_configuration(
    const std::optional<ConfigurationText>& file, const VariableSources& sources);

}  // namespace sidestream::sidecar
