// Keys of a configuration that environment variables give: what the environment says becomes part
// of the tree that was read from the file, so that one reader, with one set of messages, reads
// both.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "streams/configuration_reader.h"
#include "streams/variables.h"
#include "streams/yaml_document.h"

namespace sidestream::control {

// One variable and the key that it gives. A variable that is empty counts as not set.
struct EnvironmentKey {
  enum class Form : std::uint8_t {
    text,
    list,    // the pieces between commas and white space
    secret,  // or, as VARIABLE_FILE, the path of a file that holds it
    items,   // secrets with commas between them: each is of an item of the list in front of the key
  };

  std::string_view variable;
  // `tunnel.mtu`. `edges[].ticket` is of an item, which all keys with this beginning share.
  std::string_view path;
  Form form = Form::text;
  // The key of the file beside which the variable does nothing; empty: `path`.
  std::string_view instead_of = "";
  // What it has to be set to when another one with the same `instead_of` is; empty: it may be left
  // out. Nothing is needed beside `items`.
  std::string_view needed = "";

  [[nodiscard]] bool may_be_file() const { return form == Form::secret || form == Form::items; }
  // Its key in the file, or the one that takes its place.
  [[nodiscard]] std::string_view taken_by() const { return instead_of.empty() ? path : instead_of; }
};
inline constexpr std::string_view file_suffix = "_FILE";

// Of the keys that both programs have.
[[nodiscard]] std::span<const EnvironmentKey> program_environment();

// Whether any variable is set whose place is `taken_by`.
[[nodiscard]] bool is_any_set(std::span<const EnvironmentKey> keys, std::string_view taken_by,
                              const VariableSources& sources);

// A variable that is set, for a key that the file has itself.
struct IdleVariable {
  std::string variable;
  std::string_view taken_by;
};
// The tree of a file, an empty one without a file, and none when the file is not YAML.
[[nodiscard]] std::optional<YamlNode> read_tree(const std::optional<ConfigurationText>& file,
                                                ConfigurationProblems& problems);
// Adds to the tree what is set, when it is a mapping or empty. Problems are those of the variables
// as such; what their values should be is for the reader of the tree to say.
[[nodiscard]] std::vector<IdleVariable> add_environment(YamlNode& root,
                                                        std::span<const EnvironmentKey> keys,
                                                        const VariableSources& sources,
                                                        ConfigurationProblems& problems);
// After the tree was read: a variable that is set and that the file does not use itself is a
// problem, since it would surprise whoever set it.
void refuse_idle(std::span<const IdleVariable> idle, const ConfigurationSource& source);

}  // namespace sidestream::control
