// The commands: what they are called, what their arguments are and what their help says.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "cli/arguments.h"
#include "cli/options.h"

namespace sidestream::cli {

struct Command {
  std::string_view name;
  std::string_view usage;    // behind the name
  std::string_view summary;  // one line
  std::string_view details;  // lines behind the usage; may be empty
  std::span<const OptionForm> options;
  std::size_t names_max;  // arguments that are not options
  // The error is one line without the command's name.
  std::expected<Options, std::string> (*read)(const Arguments& arguments);
};

// All of them, in the order of the help.
[[nodiscard]] std::span<const Command> all_commands();
// nullptr when there is none.
[[nodiscard]] const Command* find_command(std::span<const Command> commands, std::string_view name);

// Several lines, each with its end.
[[nodiscard]] std::string help_text(std::span<const Command> commands);
[[nodiscard]] std::string help_text(const Command& command);

}  // namespace sidestream::cli
