#include "cli/options.h"

#include <gtest/gtest.h>

#include <initializer_list>

#include "cli/command_table.h"

namespace sidestream::cli {
namespace {

std::expected<Options, UsageError> parse(std::initializer_list<std::string_view> arguments) {
  return parse_options({arguments.begin(), arguments.size()}, all_commands());
}

std::string error(std::initializer_list<std::string_view> arguments) {
  const auto options = parse(arguments);
  return options ? "" : options.error().message;
}

template <typename Type>
Type as(std::initializer_list<std::string_view> arguments) {
  const auto options = parse(arguments);
  EXPECT_TRUE(options) << options.error().message;
  if (!options || !std::holds_alternative<Type>(*options)) {
    ADD_FAILURE();
    return {};
  }
  return std::get<Type>(*options);
}

TEST(Options, KnowEveryCommand) {
  EXPECT_EQ(as<EdgeOptions>({"edge"}), EdgeOptions{});
  EXPECT_EQ(as<EdgeOptions>({"edge", "--config", "e.yaml"}).config, "e.yaml");
  EXPECT_EQ(as<SidecarOptions>({"sidecar", "--config=s.yaml"}).config, "s.yaml");
  EXPECT_EQ(as<EdgeOptions>({"edge", "--take-over"}), (EdgeOptions{std::nullopt, true, false}));
  EXPECT_EQ(as<SidecarOptions>({"sidecar", "--take-over", "--background"}),
            (SidecarOptions{std::nullopt, true, true}));
  EXPECT_FALSE(parse({"edge", "--background"}));
  EXPECT_EQ(as<DoctorOptions>({"doctor"}), DoctorOptions{});
  EXPECT_EQ(as<DoctorOptions>({"doctor", "--dns", "192.0.2.1", "--config", "x"}),
            (DoctorOptions{"x", SocketAddress::parse("192.0.2.1:53")}));
  EXPECT_EQ(as<DoctorOptions>({"doctor", "--dns", "[::1]:5353"}).dns,
            SocketAddress::parse("[::1]:5353"));
  EXPECT_EQ(as<CheckOptions>({"check"}), CheckOptions{});
  EXPECT_EQ(as<CheckOptions>({"check", "--edge", "--config", "x"}),
            (CheckOptions{"x", Program::edge}));
  EXPECT_EQ(as<CheckOptions>({"check", "--sidecar"}).program, Program::sidecar);
  EXPECT_EQ(as<StatusOptions>({"status", "--json", "--watch", "--admin", "unix:/a"}),
            (StatusOptions{true, true, std::nullopt, "unix:/a"}));
  EXPECT_EQ(as<HealthOptions>({"health", "--config", "s.yaml"}).config, "s.yaml");
  EXPECT_EQ(as<HealthOptions>({"health"}), HealthOptions{});
  EXPECT_EQ(as<KeygenOptions>({"keygen"}), KeygenOptions{});
  EXPECT_EQ(as<VersionOptions>({"version"}), VersionOptions{});
  EXPECT_EQ(as<VersionOptions>({"--version"}), VersionOptions{});
  EXPECT_EQ(as<RevokeOptions>({"revoke", "home"}).name, "home");

  const auto ban = as<BanOptions>({"ban", "2001:db8::1", "--for", "90s", "--admin", "unix:/a"});
  EXPECT_EQ(ban.network.text(), "2001:db8::/64");
  EXPECT_EQ(ban.time, std::chrono::seconds(90));
  EXPECT_EQ(as<BanOptions>({"ban", "198.51.100.7"}).time, std::chrono::minutes(10));
  EXPECT_EQ(as<UnbanOptions>({"unban", "198.51.100.0/24"}).network.text(), "198.51.100.0/24");

  const auto invite = as<InviteOptions>(
      {"invite", "home", "--allow", "*.example.com", ":2222", "--admin", "unix:/a"});
  EXPECT_EQ(invite.name, "home");
  ASSERT_EQ(invite.allow.size(), 2U);
  EXPECT_EQ(invite.allow[0].text(), "*.example.com");
  EXPECT_EQ(invite.admin, "unix:/a");
  EXPECT_EQ(
      as<InviteOptions>({"invite", "home", "--allow", ":1", "--ticket-file", "/t"}).ticket_file,
      "/t");
}

TEST(Options, KnowHelpInEveryPlace) {
  EXPECT_EQ(as<HelpOptions>({"--help"}).command, "");
  EXPECT_EQ(as<HelpOptions>({"-h"}).command, "");
  EXPECT_EQ(as<HelpOptions>({"help"}).command, "");
  EXPECT_EQ(as<HelpOptions>({"help", "check"}).command, "check");
  for (const Command& command : all_commands())
    EXPECT_EQ(as<HelpOptions>({command.name, "--help"}).command, command.name);
}

TEST(Options, SayWhatIsWrong) {
  EXPECT_EQ(error({}), "sidestream: no command; see `sidestream --help`");
  EXPECT_EQ(error({"edgee"}),
            "sidestream: unknown command \"edgee\" (did you mean \"edge\"?); see `sidestream "
            "--help`");
  EXPECT_EQ(error({"frobnicate"}),
            "sidestream: unknown command \"frobnicate\"; see `sidestream --help`");
  EXPECT_EQ(error({"--config", "x"}),
            "sidestream: unknown option \"--config\"; see `sidestream --help`");
  EXPECT_EQ(error({"help", "nothing"}),
            "sidestream: unknown command \"nothing\"; see `sidestream --help`");
  EXPECT_EQ(error({"help", "check", "edge"}),
            "sidestream help: unexpected argument \"edge\"; see `sidestream help --help`");
  EXPECT_EQ(error({"check", "--confg", "x"}),
            "sidestream check: unknown option \"--confg\" (did you mean \"--config\"?); see "
            "`sidestream check --help`");
  EXPECT_EQ(
      error({"check", "edge.yaml"}),
      "sidestream check: unexpected argument \"edge.yaml\"; did you mean --config edge.yaml? See "
      "`sidestream check --help`");
  EXPECT_EQ(
      error({"check", "--edge", "--sidecar"}),
      "sidestream check: --edge and --sidecar cannot be given together; see `sidestream check "
      "--help`");
  EXPECT_EQ(error({"keygen", "x"}),
            "sidestream keygen: unexpected argument \"x\"; see `sidestream keygen --help`");
  EXPECT_EQ(error({"invite"}),
            "sidestream invite: NAME is missing; write it right behind `invite`; see `sidestream "
            "invite --help`");
  EXPECT_EQ(error({"invite", "--allow", "a.example.com", "home"}),
            "sidestream invite: NAME is missing; write it right behind `invite`; see `sidestream "
            "invite --help`");
  EXPECT_EQ(error({"invite", "my home", "--allow", ":1"}),
            "sidestream invite: \"my home\" cannot be the name of a sidecar; a name has 1 to 63 "
            "letters, digits, hyphens and underscores, and begins with a letter or digit; see "
            "`sidestream invite --help`");
  EXPECT_EQ(
      error({"invite", "home"}),
      "sidestream invite: --allow ENDPOINT is missing; say what the sidecar may publish, such "
      "as \"*.example.com\" or :2222; see `sidestream invite --help`");
  EXPECT_EQ(error({"invite", "home", "--allow", "2222"}),
            "sidestream invite: --allow: \"2222\": a port alone is written with a colon: write "
            ":PORT; see `sidestream invite --help`");
  EXPECT_EQ(error({"invite", "home", "--allow", ":1", ":1"}),
            "sidestream invite: --allow: \":1\" is given twice; see `sidestream invite --help`");
  EXPECT_EQ(error({"revoke"}),
            "sidestream revoke: NAME is missing; write it right behind `revoke`; see `sidestream "
            "revoke --help`");
  EXPECT_EQ(error({"ban"}),
            "sidestream ban: ADDRESS is missing; write it right behind `ban`; see `sidestream ban "
            "--help`");
  EXPECT_EQ(error({"unban", "home"}),
            "sidestream unban: \"home\": expected an address, or a network such as "
            "198.51.100.0/24 or 2001:db8::/48; see `sidestream unban --help`");
  for (const std::string_view time : {"0", "999ms", "10", "366d", "soon"})
    EXPECT_EQ(error({"ban", "198.51.100.7", "--for", time}),
              "sidestream ban: --for: \"" + std::string(time) +
                  "\" is no time from 1s to 365d, such as 10m or 1d; see `sidestream ban --help`");
  EXPECT_EQ(error({"status", "--admin", "/run/a.sock"}),
            "sidestream status: --admin: expected unix:/PATH or ADDRESS:PORT, not \"/run/a.sock\"; "
            "see `sidestream status --help`");
  EXPECT_EQ(error({"status", "--admin"}),
            "sidestream status: --admin needs a value: --admin ADDRESS; see `sidestream status "
            "--help`");
}

TEST(Options, HaveOnlyTheCommandsThatTheyAreGiven) {
  const std::vector<std::string_view> arguments{"keygen"};
  EXPECT_TRUE(parse_options(arguments, all_commands()));
  EXPECT_FALSE(parse_options(arguments, all_commands().first(1)));
}

}  // namespace
}  // namespace sidestream::cli
