#include "cli/configuration_check.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace sidestream::cli {
namespace {

constexpr std::array<std::string_view, 5> edge_keys{"endpoint", "public", "sidecars", "router",
                                                    "limits"};
constexpr std::array<std::string_view, 4> sidecar_keys{"edges", "services", "acme", "docker"};

std::string counted(std::size_t count, std::string_view what) {
  return std::to_string(count) + " " + std::string(what) + (count == 1 ? "" : "s");
}

CheckReport bad(const std::string& name, std::vector<std::string> lines, std::size_t count) {
  return {.problems = std::move(lines), .summary = name + ": " + counted(count, "problem")};
}

CheckReport bad(const std::string& name, const ConfigurationProblems& problems) {
  return bad(name, problems.lines(), problems.count());
}

std::string describe(const edge::EdgeConfiguration& configuration) {
  std::size_t ports = 0;
  for (const edge::PortRange& range : configuration.public_ports)
    ports += static_cast<std::size_t>(range.high - range.low) + 1;
  return "an edge with " + counted(configuration.sidecars.size(), "sidecar") + " of its own and " +
         counted(ports, "public port");
}

std::string describe(const sidecar::SidecarConfiguration& configuration) {
  std::size_t endpoints = 0;
  for (const sidecar::ServiceConfiguration& service : configuration.services)
    endpoints += service.publish.size();
  return "a sidecar with " + counted(configuration.edges.size(), "edge") + ", " +
         counted(configuration.services.size(), "service") + " and " +
         counted(endpoints, "endpoint") + (configuration.docker ? ", and those of labels" : "");
}

template <typename Result>
CheckReport report(const std::string& name, const Result& result) {
  if (!result) return bad(name, result.error());
  return {
      .problems = {}, .summary = name + ": good: " + describe(*result), .configuration = *result};
}

}  // namespace

std::optional<Program> program_of(const YamlNode& document) {
  const auto has = [&](std::string_view key) { return document.find(key) != nullptr; };
  const bool is_edge = std::ranges::any_of(edge_keys, has);
  const bool is_sidecar = std::ranges::any_of(sidecar_keys, has);
  if (is_edge == is_sidecar) return std::nullopt;
  return is_edge ? Program::edge : Program::sidecar;
}

CheckReport check_configuration(const std::optional<ConfigurationText>& file,
                                std::optional<Program> program, const VariableSources& sources) {
  if (file && !program) {
    const YamlDocument document = parse_yaml(file->text);
    // What is not YAML is told by either reader.
    program = document.root ? program_of(*document.root) : std::optional(Program::sidecar);
  }
  if (file && !program)
    return bad(file->name,
               {file->name +
                ":1:1: the keys do not tell whether this is for an edge or a sidecar; add --edge "
                "or --sidecar to the command"},
               1);
  const std::string name = file ? file->name : "environment";
  if (program == Program::edge) return report(name, edge::read_edge_configuration(file, sources));
  return report(name, sidecar::read_sidecar_configuration(file, sources));
}

}  // namespace sidestream::cli
