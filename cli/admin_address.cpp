#include "cli/admin_address.h"

#include "control/program_configuration.h"
#include "streams/yaml_document.h"

namespace sidestream::cli {

std::expected<std::optional<std::string>, std::string> admin_address_in(
    const ConfigurationText& file, const VariableSources& sources) {
  ConfigurationProblems problems;
  const YamlDocument document = parse_yaml(file.text);
  for (const YamlProblem& problem : document.problems)
    problems.add({{file.name, problem.mark}, "", problem.message});
  std::optional<control::AdminAddresses> admin;
  if (document.root) {
    ConfigurationSource source{.name = file.name, .problems = problems, .variables = &sources};
    ConfigurationSection top(ConfigurationValue(*document.root, "", source));
    if (top.find("admin")) admin = control::read_admin_addresses(top);
  }
  if (!problems.empty()) return std::unexpected(problems.lines().front());
  if (!admin) return std::nullopt;
  if (!admin->unix_path.empty()) return "unix:" + admin->unix_path;
  if (!admin->addresses.empty()) return admin->addresses.front().text();
  return std::unexpected(file.name + " gives no admin address; give it one with `admin`");
}

}  // namespace sidestream::cli
