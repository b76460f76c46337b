// Reads one value or section in a test and returns the problems as text.
#pragma once

#include <string>
#include <string_view>

#include "streams/configuration_reader.h"
#include "tests/support/configuration_examples.h"

namespace sidestream {

// `read` gets the whole document as a value; every problem is a line of the result, without the
// last line break.
template <typename Read>
std::string problems_of_reading(std::string_view yaml, const Read& read,
                                const ExampleWorld& world = example_world()) {
  const YamlDocument document = parse_yaml(yaml);
  if (!document.root) return "not YAML";
  const VariableSources variables = world.sources();
  ConfigurationProblems problems;
  ConfigurationSource source{.name = "f", .problems = problems, .variables = &variables};
  read(ConfigurationValue(*document.root, "", source));
  std::string lines = joined_lines(problems);
  if (!lines.empty()) lines.pop_back();
  return lines;
}

}  // namespace sidestream
