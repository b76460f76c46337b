#include "cli/command_table.h"

#include <algorithm>
#include <array>

#include "control/ban_messages.h"
#include "control/configuration_values.h"
#include "streams/message_text.h"
#include "streams/quantity.h"

namespace sidestream::cli {
namespace {

using Read = std::expected<Options, std::string>;
using Takes = OptionForm::Takes;

constexpr OptionForm config_option{"--config", Takes::value, "FILE"};
constexpr OptionForm admin_option{"--admin", Takes::value, "ADDRESS"};

constexpr std::array program_options{config_option, OptionForm{"--take-over"},
                                     OptionForm{"--background"}};
constexpr std::array check_options{config_option, OptionForm{"--edge"}, OptionForm{"--sidecar"}};
constexpr std::array invite_options{OptionForm{"--allow", Takes::values, "ENDPOINT"},
                                    OptionForm{"--ticket-file", Takes::value, "FILE"},
                                    config_option, admin_option};
constexpr std::array ban_options{OptionForm{"--for", Takes::value, "TIME"}, config_option,
                                 admin_option};
constexpr std::array unban_options{config_option, admin_option};
constexpr std::array revoke_options{config_option, admin_option};
constexpr std::array status_options{OptionForm{"--json"}, OptionForm{"--watch"}, config_option,
                                    admin_option};
constexpr std::array health_options{config_option, admin_option};
constexpr std::array doctor_options{config_option, OptionForm{"--dns", Takes::value, "ADDRESS"}};

template <typename ProgramOptions>
Read read_program(const Arguments& arguments) {
  if (arguments.has("--background") && !arguments.has("--take-over"))
    return std::unexpected(
        "--background is for --take-over; a supervisor starts programs as they are");
  return ProgramOptions{arguments.value("--config"), arguments.has("--take-over"),
                        arguments.has("--background")};
}

Read read_check(const Arguments& arguments) {
  CheckOptions options{arguments.value("--config"), std::nullopt};
  if (arguments.has("--edge") && arguments.has("--sidecar"))
    return std::unexpected("--edge and --sidecar cannot be given together");
  if (arguments.has("--edge")) options.program = Program::edge;
  if (arguments.has("--sidecar")) options.program = Program::sidecar;
  return options;
}

std::expected<std::string, std::string> read_name(const Arguments& arguments,
                                                  std::string_view command) {
  if (arguments.names.empty())
    return std::unexpected("NAME is missing; write it right behind `" + std::string(command) + "`");
  const std::string& name = arguments.names.front();
  if (control::is_plain_name(name)) return name;
  return std::unexpected(in_quotes(name) + " cannot be the name of a sidecar; " +
                         std::string(control::plain_name_rule));
}

Read read_invite(const Arguments& arguments) {
  const auto name = read_name(arguments, "invite");
  if (!name) return std::unexpected(name.error());
  InviteOptions options{.name = *name,
                        .allow = {},
                        .ticket_file = arguments.value("--ticket-file"),
                        .config = arguments.value("--config"),
                        .admin = arguments.value("--admin")};
  if (!arguments.has("--allow"))
    return std::unexpected(
        "--allow ENDPOINT is missing; say what the sidecar may publish, such as "
        "\"*.example.com\" or :2222");
  for (const std::string& text : arguments.options.at("--allow")) {
    auto pattern = control::EndpointPattern::parse(text);
    if (!pattern) return std::unexpected("--allow: " + pattern.error());
    if (std::ranges::find(options.allow, *pattern) != options.allow.end())
      return std::unexpected("--allow: " + in_quotes(text) + " is given twice");
    options.allow.push_back(std::move(*pattern));
  }
  return options;
}

Read read_revoke(const Arguments& arguments) {
  const auto name = read_name(arguments, "revoke");
  if (!name) return std::unexpected(name.error());
  return RevokeOptions{*name, arguments.value("--config"), arguments.value("--admin")};
}

Read read_status(const Arguments& arguments) {
  return StatusOptions{arguments.has("--json"), arguments.has("--watch"),
                       arguments.value("--config"), arguments.value("--admin")};
}

Read read_health(const Arguments& arguments) {
  return HealthOptions{arguments.value("--config"), arguments.value("--admin")};
}

Read read_doctor(const Arguments& arguments) {
  DoctorOptions options{arguments.value("--config"), std::nullopt};
  const auto server = arguments.value("--dns");
  if (!server) return options;
  constexpr std::uint16_t dns_port = 53;
  if (const auto address = IpAddress::parse(*server))
    options.dns = SocketAddress{*address, dns_port};
  else
    options.dns = SocketAddress::parse(*server);
  if (!options.dns)
    return std::unexpected("--dns: " + in_quotes(*server) +
                           " is no address; write that of a name server, such as 9.9.9.9");
  return options;
}

std::expected<IpPrefix, std::string> read_network(const Arguments& arguments,
                                                  std::string_view command) {
  if (arguments.names.empty())
    return std::unexpected("ADDRESS is missing; write it right behind `" + std::string(command) +
                           "`");
  return control::parse_banned_network(arguments.names.front());
}

Read read_ban(const Arguments& arguments) {
  constexpr control::BanLimits limits;
  const auto network = read_network(arguments, "ban");
  if (!network) return std::unexpected(network.error());
  BanOptions options{.network = *network,
                     .time = limits.time_default,
                     .config = arguments.value("--config"),
                     .admin = arguments.value("--admin")};
  if (const auto text = arguments.value("--for")) {
    const auto time = parse_duration(*text);
    if (!time || *time < 1s || *time > limits.time_max)
      return std::unexpected("--for: " + in_quotes(*text) + " is no time from 1s to " +
                             duration_text(limits.time_max) + ", such as 10m or 1d");
    options.time = std::chrono::floor<std::chrono::seconds>(*time);
  }
  return options;
}

Read read_unban(const Arguments& arguments) {
  const auto network = read_network(arguments, "unban");
  if (!network) return std::unexpected(network.error());
  return UnbanOptions{*network, arguments.value("--config"), arguments.value("--admin")};
}

Read read_keygen(const Arguments&) {
  return KeygenOptions{};
}

Read read_version(const Arguments&) {
  return VersionOptions{};
}

constexpr std::string_view admin_details =
    "The program is asked at ADDRESS (unix:/PATH or ADDRESS:PORT), else at the admin address of\n"
    "FILE, else at that of the configuration in /etc/sidestream, else at\n"
    "unix:/run/sidestream/admin.sock or the same in the user's own runtime folder.\n";

constexpr std::array table{
    Command{
        "edge", "[--config FILE] [--take-over [--background]]", "Run the edge, on the public host.",
        "Without --config, /etc/sidestream/edge.yaml is read. --take-over replaces the edge that\n"
        "runs already (of another version, or with another file): it keeps its live streams\n"
        "and ends with the last one, everything else is ours. No client is refused.\n",
        program_options, 0, read_program<EdgeOptions>},
    Command{"sidecar", "[--config FILE] [--take-over [--background]]",
            "Run the sidecar, at home beside the apps.",
            "Without --config, /etc/sidestream/sidecar.yaml is read if it is there. The smallest\n"
            "sidecar needs no file but the environment: SIDESTREAM_TICKET or\n"
            "SIDESTREAM_TICKET_FILE, SIDESTREAM_PUBLISH and SIDESTREAM_BACKEND. --take-over\n"
            "replaces the sidecar that runs already, which keeps its live streams.\n",
            program_options, 0, read_program<SidecarOptions>},
    Command{"invite",
            "NAME --allow ENDPOINT... [--ticket-file FILE] [--config FILE] [--admin ADDRESS]",
            "Enrol a sidecar on this edge and print its ticket, once.",
            "--allow says what the sidecar may publish: NAME, NAME:PORT, *.DOMAIN, :PORT or\n"
            ":LOW-HIGH, one or more. Quote the star. With --ticket-file the ticket is not printed\n"
            "but written to FILE (mode 0600); when a ticket is there already, nothing is done.\n",
            invite_options, 1, read_invite},
    Command{
        "revoke", "NAME [--config FILE] [--admin ADDRESS]",
        "Take an invited sidecar off this edge; its streams end.",
        "Its ticket is worth nothing from then on, and a sidecar that still uses it is told so.\n"
        "A sidecar that has its own key is taken off by taking it out of edge.yaml.\n",
        revoke_options, 1, read_revoke},
    Command{"check", "[--config FILE] [--edge | --sidecar]",
            "Find every mistake in a configuration, without starting anything.",
            "Whether the file is an edge's or a sidecar's shows from its keys; --edge and\n"
            "--sidecar say it where it does not. Variables and files that the configuration\n"
            "refers to are read. Exit code 2 when there are mistakes.\n",
            check_options, 0, read_check},
    Command{"status", "[--json] [--watch] [--config FILE] [--admin ADDRESS]",
            "Show the tunnel and every service, and why one is not published.", admin_details,
            status_options, 0, read_status},
    Command{"health", "[--config FILE] [--admin ADDRESS]",
            "Exit with 0 when the program here does what it is for, for HEALTHCHECK.",
            admin_details, health_options, 0, read_health},
    Command{"doctor", "[--config FILE] [--dns ADDRESS]",
            "Find out what does not work here and in DNS, and what would be better.",
            "The configuration is read, the program that runs is asked, and so is the name server\n"
            "at ADDRESS, else that of the system: whether published names lead to the edge, and\n"
            "whether their CAA records keep others from getting certificates for them; if not,\n"
            "which record does. Exit code 1 when there is a problem.\n",
            doctor_options, 0, read_doctor},
    Command{"ban", "ADDRESS [--for TIME] [--config FILE] [--admin ADDRESS]",
            "Serve no client at ADDRESS for a time; their streams end.",
            "ADDRESS is an address or a network, such as 198.51.100.7 or 2001:db8::/48; an IPv6\n"
            "address alone stands for its /64. TIME is 10m when it is not given. Asked is the\n"
            "sidecar here; a ban lasts over its restarts.\n",
            ban_options, 1, read_ban},
    Command{"unban", "ADDRESS [--config FILE] [--admin ADDRESS]", "End a ban before its time.",
            "ADDRESS is written as for `ban`; `sidestream status` shows who is banned.\n",
            unban_options, 1, read_unban},
    Command{"keygen",
            "",
            "Print a new private key and its public key.",
            "For a sidecar whose key must never have been elsewhere: private_key goes into its\n"
            "sidecar.yaml, public_key into edge.yaml.\n",
            {},
            0,
            read_keygen},
    Command{"version", "", "Print the version.", "", {}, 0, read_version},
};

std::string usage_line(const Command& command) {
  std::string line = "sidestream ";
  line += command.name;
  if (!command.usage.empty()) line.append(" ").append(command.usage);
  return line;
}

// As long lines of options are shown: broken before an option, the rest indented.
std::string usage_in_lines(const Command& command) {
  constexpr std::size_t line_bytes_max = 90;
  std::string text = "Usage: " + usage_line(command);
  if (text.size() <= line_bytes_max) return text;
  const std::size_t at = text.rfind(" [", line_bytes_max);
  if (at == std::string::npos) return text;
  const std::string indent(std::string_view("Usage: sidestream ").size() + command.name.size() + 1,
                           ' ');
  return text.replace(at, 1, "\n" + indent);
}

}  // namespace

std::span<const Command> all_commands() {
  return table;
}

const Command* find_command(std::span<const Command> commands, std::string_view name) {
  const auto found = std::ranges::find(commands, name, &Command::name);
  return found == commands.end() ? nullptr : &*found;
}

std::string help_text(std::span<const Command> commands) {
  std::size_t width = 0;
  for (const Command& command : commands) width = std::max(width, command.name.size());
  std::string text =
      "sidestream brings services at home to the internet through a host that sees only\n"
      "ciphertext.\n"
      "\n"
      "Usage: sidestream COMMAND\n"
      "\n";
  for (const Command& command : commands) {
    text.append("  ").append(command.name).append(width - command.name.size() + 2, ' ');
    text.append(command.summary).append("\n");
  }
  text +=
      "\n"
      "`sidestream COMMAND --help` tells more of each.\n"
      "Exit codes: 0 good, 1 failed, 2 wrong usage or configuration, 3 not running,\n"
      "4 the shared network is gone.\n";
  return text;
}

std::string help_text(const Command& command) {
  std::string text = usage_in_lines(command) + "\n\n";
  text.append(command.summary).append("\n");
  if (!command.details.empty()) text.append("\n").append(command.details);
  return text;
}

}  // namespace sidestream::cli
