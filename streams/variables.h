// `${VAR}`, `${VAR:-default}` and `${file:/path}` in the values of a configuration. A default may
// hold further references. `$${` stands for a literal `${`; any other `$` stands for itself. What a
// reference brings in is taken as it is: references in it are not followed.
#pragma once

#include <cstddef>
#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sidestream {

// The whole content of a file. The error is one line for a person; it names the path.
using FileReader = std::function<std::expected<std::string, std::string>(const std::string& path)>;

// Where values come from; the only way to the environment and to files.
struct VariableSources {
  // nullopt: not set.
  std::function<std::optional<std::string>(const std::string& name)> environment;
  FileReader file;
  // The same for a key or a ticket: a file that others can read is an error too. None: as `file`.
  FileReader secret_file = {};

  // As they are for a secret.
  [[nodiscard]] VariableSources for_secrets() const {
    return {.environment = environment,
            .file = secret_file ? secret_file : file,
            .secret_file = secret_file};
  }
};

struct VariableLimits {
  std::size_t depth_max = 8;  // of references inside of defaults
  std::size_t bytes_max = 1024UL * 1024;
};

struct Expansion {
  std::string text;
  // The names of the environment variables that took part; `${file:…}` adds nothing here.
  std::vector<std::string> variables = {};
  // Whether any reference took part: such a text may be a secret and is not for messages.
  bool substituted = false;
};

// The error is one line for a person and never holds a value.
[[nodiscard]] std::expected<Expansion, std::string> expand_variables(
    std::string_view text, const VariableSources& sources, const VariableLimits& limits = {});

// The content of a file that holds one value: without the line break at its end.
[[nodiscard]] std::string without_final_newline(std::string content);

}  // namespace sidestream
