// `sidestream check`: everything that is wrong with a configuration, or what it comes to.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "cli/options.h"
#include "edge/edge_configuration.h"
#include "sidecar/sidecar_configuration.h"
#include "streams/configuration_problem.h"
#include "streams/variables.h"
#include "streams/yaml_document.h"

namespace sidestream::cli {

// For which program a document is written, by the keys at its top; none when they do not tell.
[[nodiscard]] std::optional<Program> program_of(const YamlNode& document);

struct CheckReport {
  std::vector<std::string> problems;  // one line each
  std::string summary;                // one line
  // What was read; neither when there are problems.
  std::variant<std::monostate, edge::EdgeConfiguration, sidecar::SidecarConfiguration>
      configuration = {};
};

// Without a file the environment is checked, as a sidecar's unless `program` is the edge.
[[nodiscard]] CheckReport check_configuration(const std::optional<ConfigurationText>& file,
                                              std::optional<Program> program,
                                              const VariableSources& sources);

}  // namespace sidestream::cli
