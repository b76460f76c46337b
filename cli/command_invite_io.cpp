#include <array>
#include <string>
#include <utility>

#include "cli/admin_client_io.h"
#include "cli/commands.h"
#include "cli/configuration_file_io.h"
#include "cli/exit_code.h"
#include "control/admin_messages.h"

namespace sidestream::cli {
namespace {

int complain(Console& console, std::string_view command, const std::string& what, int code) {
  console.complain("sidestream " + std::string(command) + ": " + what + "\n");
  return code;
}

// Asks and returns the body of a good answer, else complains and sets `code`.
std::optional<std::string> ask_edge(std::string_view command,
                                    const std::optional<std::string>& admin,
                                    const std::optional<std::string>& config,
                                    std::string_view target, std::string body, Console& console,
                                    int& code) {
  static constexpr std::array files_default{edge_file_default};
  const auto address = choose_admin_address(admin, config, files_default);
  if (!address) {
    code = complain(console, command, address.error(), wrong_usage);
    return std::nullopt;
  }
  control::HttpRequest request;
  request.method = "POST";
  request.target = target;
  request.body = std::move(body);
  request.keep_alive = false;
  const auto response = ask_program(*address, std::move(request));
  if (!response) {
    code = complain(console, command, response.error(), not_running);
    return std::nullopt;
  }
  if (response->status != 200) {
    code =
        complain(console, command, control::parse_admin_refusal(response->body).sentence, failed);
    return std::nullopt;
  }
  code = good;
  return response->body;
}

}  // namespace

int run_invite(const InviteOptions& options, Console& console) {
  control::InviteRequest request{options.name, {}};
  for (const control::EndpointPattern& pattern : options.allow)
    request.allow.push_back(pattern.text());
  int code = good;
  const auto body = ask_edge("invite", options.admin, options.config, control::invite_target,
                             serialize(request), console, code);
  if (!body) return code;
  const auto answer = control::parse_invite_answer(*body);
  if (!answer) return complain(console, "invite", answer.error(), failed);
  // Nothing but the ticket on standard output, so that it can be piped.
  console.print(answer->ticket + "\n");
  console.complain(
      "This ticket is a secret and is shown this once. Where the sidecar runs, set it as "
      "SIDESTREAM_TICKET.\n");
  return good;
}

int run_revoke(const RevokeOptions& options, Console& console) {
  int code = good;
  const auto body = ask_edge("revoke", options.admin, options.config, control::revoke_target,
                             serialize(control::RevokeRequest{options.name}), console, code);
  if (!body) return code;
  const auto answer = control::parse_revoke_answer(*body);
  if (!answer) return complain(console, "revoke", answer.error(), failed);
  console.print(options.name +
                " is revoked; endpoints withdrawn: " + std::to_string(answer->endpoints) +
                ", streams ended: " + std::to_string(answer->streams) + "\n");
  return good;
}

}  // namespace sidestream::cli
