// Asks a running program something at its admin address.
#pragma once

#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "cli/console.h"
#include "control/http_message.h"

namespace sidestream::cli {

// Where the program listens: `admin` itself when it is given, else what the configuration `config`
// says, else that one of `files_default` which is there, or SIDESTREAM_ADMIN. None: where programs
// listen without configuration. The error is one line for a person.
[[nodiscard]] std::expected<std::optional<std::string>, std::string> choose_admin_address(
    const std::optional<std::string>& admin, const std::optional<std::string>& config,
    std::span<const std::string_view> files_default);

// `address` is `unix:PATH` or `ADDRESS:PORT`; none: where programs listen without configuration.
// The error is one line for a person: nobody answers there, or not in time.
[[nodiscard]] std::expected<control::HttpResponse, std::string> ask_program(
    const std::optional<std::string>& address, control::HttpRequest request);

// A POST of one of our commands.
struct AdminQuestion {
  std::string_view command;
  std::optional<std::string> admin;
  std::optional<std::string> config;
  std::string_view file_default;  // where the configuration is when nobody says so
  std::string_view target;
  std::string body;
};
// The body of a good answer; else what is wrong was written to the console, and `code` is what the
// command ends with.
[[nodiscard]] std::optional<std::string> ask_or_complain(const AdminQuestion& question,
                                                         Console& console, int& code);

}  // namespace sidestream::cli
