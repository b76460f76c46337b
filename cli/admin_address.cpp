#include "cli/admin_address.h"

#include <algorithm>

#include "control/configuration_environment.h"
#include "control/program_configuration.h"

namespace sidestream::cli {

std::expected<std::optional<std::string>, std::string> admin_address_in(
    const std::optional<ConfigurationText>& file, const VariableSources& sources) {
  ConfigurationProblems problems;
  const std::string name = file ? file->name : "environment";
  auto root = control::read_tree(file, problems);
  std::optional<control::AdminAddresses> admin;
  if (root) {
    const auto keys = control::program_environment();
    const auto key = std::ranges::find(keys, "admin", &control::EnvironmentKey::path);
    // A variable beside a file's own key stops the program, not those who ask it.
    (void)control::add_environment(*root, {key, 1}, sources, problems);
    ConfigurationSource source{
        .name = name, .problems = problems, .variables = &sources, .has_marks = file.has_value()};
    ConfigurationSection top(ConfigurationValue(*root, "", source));
    if (top.find("admin")) admin = control::read_admin_addresses(top);
  }
  if (!problems.empty()) return std::unexpected(problems.lines().front());
  if (!admin) return std::nullopt;
  if (!admin->unix_path.empty()) return "unix:" + admin->unix_path;
  if (!admin->addresses.empty()) return admin->addresses.front().text();
  return std::unexpected(name + " gives no admin address; give it one with `admin`");
}

}  // namespace sidestream::cli
