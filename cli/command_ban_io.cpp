#include "cli/admin_client_io.h"
#include "cli/commands.h"
#include "cli/configuration_file_io.h"
#include "cli/exit_code.h"
#include "control/ban_messages.h"
#include "streams/quantity.h"

namespace sidestream::cli {
namespace {

template <typename BanOrUnban>
AdminQuestion question_of(std::string_view command, const BanOrUnban& options,
                          std::string_view target, std::string body) {
  return {.command = command,
          .admin = options.admin,
          .config = options.config,
          .file_default = sidecar_file_default,
          .target = target,
          .body = std::move(body)};
}

int complain(Console& console, std::string_view command, const std::string& what) {
  console.complain("sidestream " + std::string(command) + ": " + what + "\n");
  return failed;
}

}  // namespace

int run_ban(const BanOptions& options, Console& console) {
  int code = good;
  const auto body = ask_or_complain(
      question_of("ban", options, control::ban_target,
                  serialize(control::BanRequest{.network = options.network, .time = options.time})),
      console, code);
  if (!body) return code;
  const auto answer = control::parse_ban_answer(*body);
  if (!answer) return complain(console, "ban", answer.error());
  console.print(options.network.text() + " is banned for " + duration_text(options.time) +
                "; streams ended: " + std::to_string(answer->streams) + "\n");
  return good;
}

int run_unban(const UnbanOptions& options, Console& console) {
  int code = good;
  const auto body =
      ask_or_complain(question_of("unban", options, control::unban_target,
                                  serialize(control::UnbanRequest{.network = options.network})),
                      console, code);
  if (!body) return code;
  const auto answer = control::parse_unban_answer(*body);
  if (!answer) return complain(console, "unban", answer.error());
  console.print(options.network.text() +
                (answer->was_banned ? " is no longer banned\n" : " was not banned\n"));
  return good;
}

}  // namespace sidestream::cli
