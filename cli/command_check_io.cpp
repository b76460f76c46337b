#include <filesystem>

#include "cli/commands.h"
#include "cli/configuration_check.h"
#include "cli/configuration_file_io.h"
#include "cli/exit_code.h"
#include "cli/machine_check_io.h"

namespace sidestream::cli {
namespace {

// Without --config: the file that the program itself would read. A machine that has both kinds is
// told to choose.
std::expected<std::string_view, std::string> default_file(const CheckOptions& options) {
  if (options.program == Program::edge) return edge_file_default;
  if (options.program == Program::sidecar || options.config) return sidecar_file_default;
  std::error_code ignored;
  const bool has_edge = std::filesystem::exists(edge_file_default, ignored);
  const bool has_sidecar = std::filesystem::exists(sidecar_file_default, ignored);
  if (has_edge && has_sidecar)
    return std::unexpected(
        "there are /etc/sidestream/edge.yaml and /etc/sidestream/sidecar.yaml; "
        "say which with --config FILE");
  return has_edge ? edge_file_default : sidecar_file_default;
}

// What the machine has to say to a configuration that is good by itself.
struct Findings {
  std::vector<std::string> operator()(std::monostate) { return {}; }
  std::vector<std::string> operator()(const auto& configuration) {
    return machine_findings(configuration);
  }
};

}  // namespace

int run_check(const CheckOptions& options, Console& console) {
  const auto path_default = default_file(options);
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
    return good;
  }
  console.complain(report.summary + "\n");
  return wrong_usage;
}

}  // namespace sidestream::cli
