#include "cli/commands.h"
#include "cli/configuration_check.h"
#include "cli/configuration_file_io.h"
#include "cli/exit_code.h"
#include "cli/machine_check_io.h"
#include "cli/tunnel_choice_io.h"

namespace sidestream::cli {

namespace {

// What the machine has to say to a configuration that is good by itself.
struct Findings {
  std::vector<std::string> operator()(std::monostate) { return {}; }
  std::vector<std::string> operator()(const auto& configuration) {
    return machine_findings(configuration);
  }
};

// Who would do the work of the tunnel.
struct TunnelLine {
  std::string operator()(std::monostate) { return ""; }
  std::string operator()(const edge::EdgeConfiguration& configuration) {
    return expected_tunnel(configuration.tunnel, configuration.listen);
  }
  std::string operator()(const sidecar::SidecarConfiguration& configuration) {
    return expected_tunnel(configuration.tunnel, {});
  }
};

}  // namespace

int run_check(const CheckOptions& options, Console& console) {
  const auto path_default = file_to_check(options);
  const auto file = path_default ? load_configuration(options.config, *path_default)
                                 : std::expected<std::optional<ConfigurationText>, std::string>(
                                       std::unexpect, path_default.error());
  if (!file) {
    console.complain("sidestream check: " + file.error() + "\n");
    return wrong_usage;
  }
  const CheckReport report = check_configuration(*file, options.program, process_variables(*file));
  for (const std::string& problem : report.problems) console.complain(problem + "\n");
  if (report.problems.empty()) {
    for (const std::string& warning : std::visit(Findings{}, report.configuration))
      console.complain("warning: " + warning + "\n");
    console.print(report.summary + "\n");
    console.print("tunnel: " + std::visit(TunnelLine{}, report.configuration) + "\n");
    return good;
  }
  console.complain(report.summary + "\n");
  return wrong_usage;
}

}  // namespace sidestream::cli
