#include <algorithm>
#include <exception>
#include <new>
#include <string>
#include <string_view>
#include <vector>

#include "cli/command_table.h"
#include "cli/commands.h"
#include "cli/console_io.h"
#include "cli/exit_code.h"
#include "cli/options.h"
#include "cli/out_of_memory_io.h"
#include "control/version.h"

namespace sidestream::cli {
namespace {

struct Runner {
  int operator()(const EdgeOptions& options) { return run_edge(options, console); }
  int operator()(const SidecarOptions& options) { return run_sidecar(options, console); }
  int operator()(const InviteOptions& options) { return run_invite(options, console); }
  int operator()(const RevokeOptions& options) { return run_revoke(options, console); }
  int operator()(const StatusOptions& options) { return run_status(options, console); }
  int operator()(const HealthOptions& options) { return run_health(options, console); }
  int operator()(const CheckOptions& options) { return run_check(options, console); }
  int operator()(const DoctorOptions& options) { return run_doctor(options, console); }
  int operator()(const BanOptions& options) { return run_ban(options, console); }
  int operator()(const UnbanOptions& options) { return run_unban(options, console); }
  int operator()(const KeygenOptions& options) { return run_keygen(options, console); }
  int operator()(const VersionOptions&) {
    console.print("sidestream " + std::string(control::program_version()) + "\n");
    return good;
  }
  int operator()(const HelpOptions& options) {
    const Command* command = find_command(known, options.command);
    console.print(command == nullptr ? help_text(known) : help_text(*command));
    return good;
  }

  Console& console;
  std::span<const Command> known;
};

int run(std::span<const std::string_view> arguments, Console& console) {
  const std::span<const Command> known = all_commands();
  const auto options = parse_options(arguments, known);
  if (!options) {
    console.complain(options.error().message + "\n");
    return wrong_usage;
  }
  const int code = std::visit(Runner{console, known}, *options);
  if (code != good || console.is_good()) return code;
  console.complain("sidestream: the output could not be written\n");
  return failed;
}

}  // namespace
}  // namespace sidestream::cli

int main(int count, char** values) {
  using namespace sidestream::cli;
  end_when_out_of_memory();
  StandardConsole console;
  try {
    const std::vector<std::string_view> arguments(values + std::min(count, 1), values + count);
    return run(arguments, console);
  } catch (const std::bad_alloc&) {
    end_out_of_memory();
  } catch (const std::exception& error) {
    console.complain("sidestream: " + std::string(error.what()) + "\n");
    return failed;
  }
}
