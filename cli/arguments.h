// The arguments of one command, taken apart by its list of options.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sidestream::cli {

struct OptionForm {
  enum class Takes : std::uint8_t {
    nothing,
    value,   // the next argument, or what follows `=`
    values,  // all arguments up to the next option, at least one; may be given again
  };
  std::string_view name;  // with its hyphens
  Takes takes = Takes::nothing;
  std::string_view value = {};  // what stands for the value in messages, `FILE`
};

struct Arguments {
  std::map<std::string_view, std::vector<std::string>> options;  // by name; empty for flags
  std::vector<std::string> names;                                // what is not an option
  bool help = false;                                             // --help or -h was there

  [[nodiscard]] bool has(std::string_view option) const { return options.contains(option); }
  [[nodiscard]] std::optional<std::string> value(std::string_view option) const;
};

// `names_max` is how many arguments may stand alone. `--` ends the options. The error is one line
// without the command's name.
[[nodiscard]] std::expected<Arguments, std::string> take_apart(
    std::span<const std::string_view> arguments, std::span<const OptionForm> forms,
    std::size_t names_max);

}  // namespace sidestream::cli
