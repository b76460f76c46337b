#include "sidecar/sidecar_configuration.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "sidecar/service_reader.h"
#include "sidecar/sidecar_environment.h"

namespace sidestream::sidecar {
namespace {

using control::LaterKey;

constexpr std::array later_keys = {
    LaterKey{"acme", "and keep the certificates with the program that ends TLS now"},
    LaterKey{"docker", "and write the services into this file"},
};

class Reader {
 public:
  Reader(const std::optional<ConfigurationText>& file, const VariableSources& sources)
      : file_(file), sources_(sources) {}

  std::expected<SidecarConfiguration, ConfigurationProblems> run() {
    if (file_) read_file();
    if (!has_edges_) read_environment_edge();
    if (!has_services_) read_environment_service();
    if (problems_.empty()) return std::move(configuration_);
    return std::unexpected(std::move(problems_));
  }

 private:
  void read_file() {
    const YamlDocument document = parse_yaml(file_->text);
    for (const YamlProblem& problem : document.problems)
      problems_.add({{file_->name, problem.mark}, "", problem.message});
    // Nothing is known of a file that is not YAML: what it lacks must not be held against it.
    const auto kind = document.root ? document.root->kind : YamlNode::Kind::scalar;
    const bool is_readable = kind == YamlNode::Kind::mapping || kind == YamlNode::Kind::null;
    has_edges_ = has_services_ = !is_readable;
    if (!document.root) return;

    ConfigurationSource source{.name = file_->name, .problems = problems_, .variables = &sources_};
    ConfigurationSection top(ConfigurationValue(*document.root, "", source), "services:");
    if (!is_readable) return;
    if (const auto edges = top.find("edges")) {
      has_edges_ = true;
      configuration_.edges = read_edges(*edges);
    }
    if (const auto services = top.find("services")) {
      has_services_ = true;
      configuration_.services = read_services(*services);
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
      limits.finish();
    }
    configuration_.program = control::read_program_configuration(top);
    control::refuse_later_keys(top, later_keys);
    top.finish();
    for (const std::string_view variable : has_edges_
                                               ? std::vector{ticket_variable, ticket_file_variable}
                                               : std::vector<std::string_view>{})
      refuse_idle(source, variable, "edges");
    for (const std::string_view variable : has_services_
                                               ? std::vector{publish_variable, backend_variable}
                                               : std::vector<std::string_view>{})
      refuse_idle(source, variable, "services");
  }

  // A variable that is set and does nothing would surprise whoever set it.
  void refuse_idle(const ConfigurationSource& source, std::string_view variable,
                   std::string_view key) {
    if (!is_set(sources_, variable) || source.variables_used.contains(std::string(variable)))
      return;
    problems_.add({{std::string(variable), std::nullopt},
                   "",
                   "is set, but " + file_->name + " has `" + std::string(key) +
                       "` of its own that do not use it; unset it, or remove `" + std::string(key) +
                       "`"});
  }

  void read_environment_edge() {
    const std::size_t problems_before = problems_.count();
    if (auto edge = read_edge_from_environment(sources_, problems_))
      configuration_.edges.push_back(std::move(*edge));
    else if (problems_.count() == problems_before)
      add_missing("edges",
                  "no edge: set SIDESTREAM_TICKET to the ticket that `sidestream invite` "
                  "printed");
  }

  void read_environment_service() {
    const std::size_t problems_before = problems_.count();
    if (auto service = read_service_from_environment(sources_, problems_))
      configuration_.services.push_back(std::move(*service));
    else if (problems_.count() == problems_before)
      add_missing("services", "no service: set SIDESTREAM_PUBLISH and SIDESTREAM_BACKEND");
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
  bool has_edges_ = false;
  bool has_services_ = false;
};

}  // namespace

TlsMode ServiceConfiguration::tls_of(const control::Endpoint& endpoint) const {
  if (tls) return *tls;
  return endpoint.name ? TlsMode::passthrough : TlsMode::off;
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
