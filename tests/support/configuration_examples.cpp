#include "tests/support/configuration_examples.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace sidestream {
namespace {

std::string read_whole_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream content;
  content << file.rdbuf();
  return content.str();
}

}  // namespace

VariableSources ExampleWorld::sources() const {
  return {[this](const std::string& name) -> std::optional<std::string> {
            const auto found = environment.find(name);
            if (found == environment.end()) return std::nullopt;
            return found->second;
          },
          [this](const std::string& path) -> std::expected<std::string, std::string> {
            const auto found = files.find(path);
            if (found == files.end())
              return std::unexpected("cannot read " + path + ": No such file or directory");
            return found->second;
          }};
}

ExampleWorld example_world() {
  return {{{"TICKET", std::string(example_ticket)}, {"HOST", "app"}, {"WRONG", "s3cret"}},
          {{"/run/secrets/ticket", std::string(example_ticket) + "\n"},
           {"/run/secrets/private_key", "EL8/ZI3Bz12TSGVjvwRml8NzTYRxEC50KgiagMOTTnk=\n"},
           {"/run/secrets/wrong_key", "s3cret\n"}}};
}

std::vector<ConfigurationExample> configuration_examples(std::string_view kind,
                                                         std::string_view program) {
  const auto folder =
      std::filesystem::path(SIDESTREAM_SOURCE_DIR) / "tests/vectors/configuration" / kind;
  std::vector<ConfigurationExample> examples;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::filesystem::path& path = entry.path();
    const std::string name = path.filename();
    if (path.extension() != ".yaml" || !name.starts_with(program)) continue;
    auto expected = path;
    expected.replace_extension(".expected");
    examples.push_back({{name, read_whole_file(path)}, read_whole_file(expected)});
  }
  std::ranges::sort(examples, {}, [](const auto& example) { return example.text.name; });
  return examples;
}

std::string document_text(const std::string& document) {
  return read_whole_file(std::filesystem::path(SIDESTREAM_SOURCE_DIR) / document);
}

std::vector<ConfigurationText> configurations_in(const std::string& document) {
  std::istringstream lines(document_text(document));
  std::vector<ConfigurationText> blocks;
  bool inside = false;
  unsigned number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    if (line.starts_with("```")) {
      inside = line == "```yaml";
      if (inside) blocks.push_back({document + ":" + std::to_string(number), ""});
    } else if (inside) {
      blocks.back().text += line + "\n";
    }
  }
  return blocks;
}

std::string joined_lines(const ConfigurationProblems& problems) {
  std::string text;
  for (const std::string& line : problems.lines()) text += line + "\n";
  return text;
}

}  // namespace sidestream
