#include "sidecar/sidecar_configuration.h"

#include <algorithm>
#include <array>
#include <span>
#include <string_view>
#include <utility>

#include "control/configuration_values.h"
#include "sidecar/service_reader.h"
#include "sidecar/sidecar_environment.h"

namespace sidestream::sidecar {
namespace {

class Reader {
 public:
  Reader(const std::optional<ConfigurationText>& file, const VariableSources& sources)
      : file_(file), sources_(sources) {}

  std::expected<SidecarConfiguration, ConfigurationProblems> run() {
    auto root = control::read_tree(file_, problems_);
    // Nothing is known of a file that is not YAML: what it lacks must not be held against it.
    if (!root) return std::unexpected(std::move(problems_));
    const auto keys = sidecar_environment();
    const auto idle = control::add_environment(*root, keys, sources_, problems_);
    ConfigurationSource source{.name = file_ ? file_->name : "environment",
                               .problems = problems_,
                               .variables = &sources_,
                               .has_marks = file_.has_value()};
    ConfigurationSection top(ConfigurationValue(*root, "", source), "services:");
    if (root->kind == YamlNode::Kind::mapping || root->kind == YamlNode::Kind::null)
      read(top, keys);
    control::refuse_idle(idle, source);
    if (problems_.empty()) return std::move(configuration_);
    return std::unexpected(std::move(problems_));
  }

 private:
  // It is for the authority then.
  void refuse_port_80(const ConfigurationValue& acme) {
    const control::Endpoint http{.name = std::nullopt, .port = SidecarConfiguration::http_port};
    for (const ServiceConfiguration& service : configuration_.services)
      if (std::ranges::find(service.publish, http) != service.publish.end())
        acme.fail("with http-01 the sidecar publishes :80 itself, and the service " + service.name +
                  " does so too; remove one of the two");
  }
  void read(ConfigurationSection& top, std::span<const control::EnvironmentKey> keys) {
    if (const auto edges = top.find("edges"))
      configuration_.edges = read_edges(*edges);
    else if (!control::is_any_set(keys, "edges", sources_))
      add_missing("edges",
                  "no edge: set SIDESTREAM_TICKET to the ticket that `sidestream invite` printed");
    if (const auto value = top.find("acme")) configuration_.acme = read_acme_settings(*value);
    if (const auto services = top.find("services"))
      configuration_.services = read_services(*services, configuration_.acme.dns_hook.has_value());
    else if (!top.find("docker") && !control::is_any_set(keys, "services", sources_))
      add_missing("services", "no service: set SIDESTREAM_PUBLISH and SIDESTREAM_BACKEND");
    if (const auto acme = top.find("acme"); acme && configuration_.acme.by_http)
      refuse_port_80(*acme);
    if (const auto value = top.find("docker")) {
      ConfigurationSection docker(*value, "{socket: unix:/var/run/docker.sock}");
      if (const auto socket = docker.require("socket", "socket: unix:/var/run/docker.sock"))
        configuration_.docker = control::read_parsed<EngineAddress>(*socket);
      docker.finish();
    }
    if (const auto value = top.find("tunnel")) {
      ConfigurationSection tunnel(*value, "{mode: auto}");
      configuration_.tunnel = control::read_tunnel_settings(tunnel);
      tunnel.finish();
    }
    if (const auto value = top.find("limits")) {
      ConfigurationSection limits(*value, "{streams: 10000}");
      if (const auto streams = limits.find("streams")) {
        configuration_.limits.has_streams = true;
        if (const auto number = streams->integer(1, SidecarLimits::streams_max))
          configuration_.limits.streams = static_cast<std::size_t>(*number);
      }
      if (const auto memory = limits.find("memory"))
        configuration_.limits.memory_bytes = control::read_memory_limit(*memory).value_or(0);
      limits.finish();
    }
    configuration_.program = control::read_program_configuration(top);
    top.finish();
  }

  void add_missing(std::string_view key, std::string what) {
    if (file_)
      problems_.add({{file_->name, Mark{}}, "", what + ", or add `" + std::string(key) + ":`"});
    else
      problems_.add({{"environment", std::nullopt}, "", what + ", or give a file: --config FILE"});
  }

  const std::optional<ConfigurationText>& file_;
  const VariableSources& sources_;
  SidecarConfiguration configuration_;
  ConfigurationProblems problems_;
};

}  // namespace

TlsMode ServiceConfiguration::tls_of(const control::Endpoint& endpoint) const {
  if (tls) return *tls;
  return endpoint.name ? TlsMode::passthrough : TlsMode::off;
}

std::vector<IpAddress> edge_addresses(const SidecarConfiguration& configuration) {
  std::vector<IpAddress> addresses;
  for (const EdgeEntry& edge : configuration.edges)
    for (const HostPort& endpoint : edge.endpoints)
      if (const auto address = IpAddress::parse(endpoint.host)) addresses.push_back(*address);
  return addresses;
}

bool needs_state(const SidecarConfiguration& configuration) {
  return std::ranges::any_of(configuration.services, [](const ServiceConfiguration& service) {
    return service.tls == TlsMode::terminate &&
           service.tls_settings.certificate.kind != CertificateSource::Kind::files;
  });
}

std::expected<SidecarConfiguration, ConfigurationProblems> read_sidecar_configuration(
    const std::optional<ConfigurationText>& file, const VariableSources& sources) {
  return Reader(file, sources).run();
}

}  // namespace sidestream::sidecar
