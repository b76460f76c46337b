#include <cstdint>
#include <expected>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

#include "cli/admin_client_io.h"
#include "cli/commands.h"
#include "cli/configuration_file_io.h"
#include "cli/exit_code.h"
#include "control/admin_messages.h"
#include "control/ticket.h"
#include "streams/state_file_io.h"

namespace sidestream::cli {
namespace {

int complain(Console& console, std::string_view command, const std::string& what, int code) {
  console.complain("sidestream " + std::string(command) + ": " + what + "\n");
  return code;
}

// Where the one ticket of an invitation goes, for those who start programs with nobody at a screen.
class TicketFile {
 public:
  enum class State : std::uint8_t { empty, has_ticket };

  explicit TicketFile(const std::filesystem::path& path)
      : folder_(path.has_parent_path() ? path.parent_path().string() : "."),
        name_(path.filename().string()) {}

  // Makes the folder. What is there and is no ticket is an error, and stays.
  [[nodiscard]] std::expected<State, std::string> prepare() const {
    if (const auto fine = folder_.prepare(); !fine) return std::unexpected(fine.error());
    const auto content = folder_.read(name_);
    if (!content) return std::unexpected(content.error());
    if (!*content) return State::empty;
    if (!control::Ticket::parse(**content))
      return std::unexpected(folder_.path_of(name_) +
                             " is there and holds no ticket; nothing was done");
    return State::has_ticket;
  }
  [[nodiscard]] std::expected<void, std::string> write(const std::string& ticket) const {
    return folder_.write(name_, ticket + "\n");
  }

 private:
  StateFolder folder_;
  std::string name_;
};

}  // namespace

int run_invite(const InviteOptions& options, Console& console) {
  std::optional<TicketFile> file;
  if (options.ticket_file) {
    file.emplace(*options.ticket_file);
    const auto ready = file->prepare();
    if (!ready) return complain(console, "invite", ready.error(), failed);
    if (*ready == TicketFile::State::has_ticket) {
      console.complain(*options.ticket_file + " holds a ticket already; nothing was done.\n");
      return good;
    }
  }
  control::InviteRequest request{options.name, {}};
  for (const control::EndpointPattern& pattern : options.allow)
    request.allow.push_back(pattern.text());
  int code = good;
  const auto body = ask_or_complain({.command = "invite",
                                     .admin = options.admin,
                                     .config = options.config,
                                     .file_default = edge_file_default,
                                     .target = control::invite_target,
                                     .body = serialize(request)},
                                    console, code);
  if (!body) return code;
  const auto answer = control::parse_invite_answer(*body);
  if (!answer) return complain(console, "invite", answer.error(), failed);
  if (file) {
    const auto written = file->write(answer->ticket);
    if (written) {
      console.complain("The ticket of " + options.name + " is in " + *options.ticket_file + ".\n");
      return good;
    }
    // The edge will not tell it again, so it must not be lost.
    console.complain("sidestream invite: " + written.error() + "; the ticket is printed instead\n");
  }
  // Nothing but the ticket on standard output, so that it can be piped.
  console.print(answer->ticket + "\n");
  console.complain(
      "This ticket is a secret and is shown this once. Where the sidecar runs, set it as "
      "SIDESTREAM_TICKET.\n");
  return file ? failed : good;
}

int run_revoke(const RevokeOptions& options, Console& console) {
  int code = good;
  const auto body = ask_or_complain({.command = "revoke",
                                     .admin = options.admin,
                                     .config = options.config,
                                     .file_default = edge_file_default,
                                     .target = control::revoke_target,
                                     .body = serialize(control::RevokeRequest{options.name})},
                                    console, code);
  if (!body) return code;
  const auto answer = control::parse_revoke_answer(*body);
  if (!answer) return complain(console, "revoke", answer.error(), failed);
  console.print(options.name +
                " is revoked; endpoints withdrawn: " + std::to_string(answer->endpoints) +
                ", streams ended: " + std::to_string(answer->streams) + "\n");
  return good;
}

}  // namespace sidestream::cli
