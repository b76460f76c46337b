// The command line as a value. Each command has its own type; the words that make it up are in
// command_table.h, what it does in command_NAME_io.cpp.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "control/endpoint_pattern.h"
#include "streams/ip_address.h"

namespace sidestream::cli {

enum class Program : std::uint8_t { edge, sidecar };

struct EdgeOptions {
  std::optional<std::string> config;  // a file; none: where the package puts it
  bool take_over = false;             // from the process that runs already
  bool background = false;            // return when that has succeeded
  bool operator==(const EdgeOptions&) const = default;
};
struct SidecarOptions {
  std::optional<std::string> config;
  bool take_over = false;
  bool background = false;
  bool operator==(const SidecarOptions&) const = default;
};
struct InviteOptions {
  std::string name;
  std::vector<control::EndpointPattern> allow;  // at least one
  std::optional<std::string> ticket_file;       // where the ticket goes instead of being printed
  std::optional<std::string> config;            // of the edge, to find its admin address
  std::optional<std::string> admin;             // the admin address itself
  bool operator==(const InviteOptions&) const = default;
};
struct RevokeOptions {
  std::string name;
  std::optional<std::string> config;
  std::optional<std::string> admin;
  bool operator==(const RevokeOptions&) const = default;
};
struct CheckOptions {
  std::optional<std::string> config;
  std::optional<Program> program;  // none: the file tells
  bool operator==(const CheckOptions&) const = default;
};
struct StatusOptions {
  bool json = false;
  bool watch = false;
  std::optional<std::string> config;  // of the program, to find its admin address
  std::optional<std::string> admin;   // the admin address itself
  bool operator==(const StatusOptions&) const = default;
};
struct HealthOptions {
  std::optional<std::string> config;
  std::optional<std::string> admin;
  bool operator==(const HealthOptions&) const = default;
};
struct DoctorOptions {
  std::optional<std::string> config;
  std::optional<SocketAddress> dns;  // the name server to ask; none: the system's
  bool operator==(const DoctorOptions&) const = default;
};
struct BanOptions {
  IpPrefix network;
  std::chrono::seconds time{0};
  std::optional<std::string> config;  // of the sidecar, to find its admin address
  std::optional<std::string> admin;
  bool operator==(const BanOptions&) const = default;
};
struct UnbanOptions {
  IpPrefix network;
  std::optional<std::string> config;
  std::optional<std::string> admin;
  bool operator==(const UnbanOptions&) const = default;
};
struct KeygenOptions {
  bool operator==(const KeygenOptions&) const = default;
};
struct VersionOptions {
  bool operator==(const VersionOptions&) const = default;
};
struct HelpOptions {
  std::string command;  // empty: all of them
  bool operator==(const HelpOptions&) const = default;
};

using Options = std::variant<EdgeOptions, SidecarOptions, InviteOptions, RevokeOptions,
                             CheckOptions, StatusOptions, HealthOptions, DoctorOptions, BanOptions,
                             UnbanOptions, KeygenOptions, VersionOptions, HelpOptions>;

// One line for a person: the command, what is wrong, what to do.
struct UsageError {
  std::string message;
};

struct Command;

// `arguments` are those behind the program's name, `commands` those that it has.
[[nodiscard]] std::expected<Options, UsageError> parse_options(
    std::span<const std::string_view> arguments, std::span<const Command> commands);

}  // namespace sidestream::cli
