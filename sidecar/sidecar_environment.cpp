#include "sidecar/sidecar_environment.h"

#include <array>

namespace sidestream::sidecar {
namespace {

using control::EnvironmentKey;
using Form = EnvironmentKey::Form;

constexpr std::array keys{
    EnvironmentKey{"SIDESTREAM_TICKET", "edges[].ticket", Form::items, "edges"},
    EnvironmentKey{"SIDESTREAM_EDGE_ENDPOINT", "edges[].endpoint", Form::list, "edges",
                   "the edge's HOST:PORT"},
    EnvironmentKey{"SIDESTREAM_EDGE_PUBLIC_KEY", "edges[].public_key", Form::text, "edges",
                   "the edge's public key"},
    EnvironmentKey{"SIDESTREAM_EDGE_PRIVATE_KEY", "edges[].private_key", Form::secret, "edges",
                   "the sidecar's own private key, or SIDESTREAM_EDGE_PRIVATE_KEY_FILE to the path "
                   "of a file that holds it"},
    EnvironmentKey{"SIDESTREAM_EDGE_PRESHARED_KEY", "edges[].preshared_key", Form::secret, "edges"},
    EnvironmentKey{"SIDESTREAM_EDGE_ADDRESS", "edges[].address", Form::text, "edges",
                   "the sidecar's address inside the tunnel"},
    EnvironmentKey{"SIDESTREAM_EDGE_EDGE_ADDRESS", "edges[].edge_address", Form::text, "edges",
                   "the edge's address inside the tunnel"},

    EnvironmentKey{"SIDESTREAM_PUBLISH", "services.default.publish", Form::list, "services",
                   "the endpoints to publish, such as electrum.example.com or :2222"},
    EnvironmentKey{"SIDESTREAM_BACKEND", "services.default.backend", Form::list, "services",
                   "the backend, HOST:PORT or unix:/PATH"},
    EnvironmentKey{"SIDESTREAM_BALANCE", "services.default.balance", Form::text, "services"},
    EnvironmentKey{"SIDESTREAM_SLOW_START", "services.default.slow_start", Form::text, "services"},
    EnvironmentKey{"SIDESTREAM_SERVER_NAME", "services.default.server_name", Form::text,
                   "services"},
    EnvironmentKey{"SIDESTREAM_CA", "services.default.ca", Form::text, "services"},
    EnvironmentKey{"SIDESTREAM_TLS", "services.default.tls", Form::text, "services"},
    EnvironmentKey{"SIDESTREAM_CERTIFICATE", "services.default.certificate", Form::text,
                   "services"},
    EnvironmentKey{"SIDESTREAM_CERTIFICATE_CHAIN", "services.default.certificate.chain", Form::text,
                   "services"},
    EnvironmentKey{"SIDESTREAM_CERTIFICATE_KEY", "services.default.certificate.key", Form::text,
                   "services"},
    EnvironmentKey{"SIDESTREAM_ALPN", "services.default.alpn", Form::list, "services"},
    EnvironmentKey{"SIDESTREAM_CLIENT_CA", "services.default.client_ca", Form::text, "services"},
    EnvironmentKey{"SIDESTREAM_PROXY_PROTOCOL", "services.default.proxy_protocol", Form::text,
                   "services"},
    EnvironmentKey{"SIDESTREAM_HEALTH", "services.default.health.kind", Form::text, "services"},
    EnvironmentKey{"SIDESTREAM_HEALTH_INTERVAL", "services.default.health.interval", Form::text,
                   "services"},
    EnvironmentKey{"SIDESTREAM_HEALTH_TIMEOUT", "services.default.health.timeout", Form::text,
                   "services"},
    EnvironmentKey{"SIDESTREAM_HEALTH_PORT", "services.default.health.port", Form::text,
                   "services"},
    EnvironmentKey{"SIDESTREAM_ALLOW", "services.default.allow", Form::list, "services"},
    EnvironmentKey{"SIDESTREAM_DENY", "services.default.deny", Form::list, "services"},
    EnvironmentKey{"SIDESTREAM_HEALTH_RISE", "services.default.health.rise", Form::text,
                   "services"},
    EnvironmentKey{"SIDESTREAM_HEALTH_FALL", "services.default.health.fall", Form::text,
                   "services"},
    EnvironmentKey{"SIDESTREAM_SERVICE_STREAMS", "services.default.limits.streams", Form::text,
                   "services"},
    EnvironmentKey{"SIDESTREAM_SERVICE_PER_CLIENT", "services.default.limits.per_client",
                   Form::text, "services"},
    EnvironmentKey{"SIDESTREAM_SERVICE_RATE", "services.default.limits.rate", Form::text,
                   "services"},
    EnvironmentKey{"SIDESTREAM_PRIORITY", "services.default.priority", Form::text, "services"},

    EnvironmentKey{"SIDESTREAM_ACME_EMAIL", "acme.email"},
    EnvironmentKey{"SIDESTREAM_ACME_DIRECTORY", "acme.directory"},
    EnvironmentKey{"SIDESTREAM_ACME_PROFILE", "acme.profile"},
    EnvironmentKey{"SIDESTREAM_ACME_EAB_KEY_ID", "acme.eab.key_id"},
    EnvironmentKey{"SIDESTREAM_ACME_EAB_KEY", "acme.eab.key", Form::secret},
    EnvironmentKey{"SIDESTREAM_ACME_CHALLENGE", "acme.challenge"},
    EnvironmentKey{"SIDESTREAM_ACME_DNS_HOOK", "acme.dns_hook"},
    EnvironmentKey{"SIDESTREAM_ACME_CA", "acme.ca"},

    EnvironmentKey{"SIDESTREAM_DOCKER_SOCKET", "docker.socket"},
};

}  // namespace

std::vector<EnvironmentKey> sidecar_environment() {
  const auto program = control::program_environment();
  std::vector<EnvironmentKey> all(keys.begin(), keys.end());
  all.insert(all.end(), program.begin(), program.end());
  return all;
}

}  // namespace sidestream::sidecar
