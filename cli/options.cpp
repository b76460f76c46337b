#include "cli/options.h"

#include <utility>

#include "cli/command_table.h"
#include "streams/ip_address.h"
#include "streams/message_text.h"
#include "streams/unix_path.h"

namespace sidestream::cli {
namespace {

std::unexpected<UsageError> error(std::string_view command, std::string_view what) {
  std::string message = "sidestream";
  if (!command.empty()) message.append(" ").append(command);
  const std::string see = message + " --help";
  return std::unexpected(UsageError{message + ": " + std::string(what) +
                                    (what.ends_with('?') ? " See `" : "; see `") + see + "`"});
}

std::unexpected<UsageError> unknown_command(std::string_view name,
                                            std::span<const Command> commands) {
  if (name.starts_with('-')) return error("", "unknown option " + in_quotes(name));
  std::vector<std::string_view> known{"help"};
  for (const Command& command : commands) known.push_back(command.name);
  return error("", "unknown command " + in_quotes(name) + did_you_mean(name, known));
}

std::expected<Options, UsageError> parse_help(std::span<const std::string_view> arguments,
                                              std::span<const Command> commands) {
  if (arguments.empty()) return HelpOptions{};
  if (arguments.size() > 1) return error("help", "unexpected argument " + in_quotes(arguments[1]));
  if (find_command(commands, arguments.front()) == nullptr)
    return unknown_command(arguments.front(), commands);
  return HelpOptions{std::string(arguments.front())};
}

// Where a program is asked has the same form for every command. Empty: it is fine.
std::string wrong_admin(const Arguments& arguments) {
  constexpr std::string_view unix_scheme = "unix:";
  const auto admin = arguments.value("--admin");
  if (!admin) return "";
  const bool is_unix = admin->starts_with(unix_scheme);
  const auto address = is_unix ? std::nullopt : SocketAddress::parse(*admin);
  if (is_unix ? check_unix_path(admin->substr(unix_scheme.size())).has_value()
              : address && address->port != 0)
    return "";
  return "--admin: expected unix:/PATH or ADDRESS:PORT, not " + in_quotes(*admin);
}

}  // namespace

std::expected<Options, UsageError> parse_options(std::span<const std::string_view> arguments,
                                                 std::span<const Command> commands) {
  if (arguments.empty()) return error("", "no command");
  const std::string_view name = arguments.front();
  const auto rest = arguments.subspan(1);
  if (name == "--help" || name == "-h" || name == "help") return parse_help(rest, commands);
  const Command* command = find_command(commands, name == "--version" ? "version" : name);
  if (command == nullptr) return unknown_command(name, commands);

  const auto taken = take_apart(rest, command->options, command->names_max);
  if (!taken) return error(command->name, taken.error());
  if (taken->help) return HelpOptions{std::string(command->name)};
  if (const std::string wrong = wrong_admin(*taken); !wrong.empty())
    return error(command->name, wrong);
  auto options = command->read(*taken);
  if (!options) return error(command->name, options.error());
  return std::move(*options);
}

}  // namespace sidestream::cli
