#include "control/program_configuration.h"

#include <gtest/gtest.h>

#include <array>

#include "tests/support/configuration_fixture.h"

namespace sidestream::control {
namespace {

std::string read(std::string_view yaml, ProgramConfiguration& configuration) {
  return problems_of_reading(yaml, [&](const ConfigurationValue& value) {
    ConfigurationSection section(value);
    configuration = read_program_configuration(section);
    section.finish();
  });
}

std::string problems(std::string_view yaml) {
  ProgramConfiguration configuration;
  return read(yaml, configuration);
}

TEST(ProgramConfiguration, HasDefaults) {
  ProgramConfiguration configuration;
  EXPECT_EQ(read("", configuration), "");
  EXPECT_EQ(configuration.state, "/var/lib/sidestream");
  EXPECT_EQ(configuration.admin.unix_path, "/run/sidestream/admin.sock");
  EXPECT_TRUE(configuration.admin.addresses.empty());
  EXPECT_FALSE(configuration.has_state);
  EXPECT_FALSE(configuration.has_admin);
  EXPECT_EQ(configuration.log, (LogSettings{LogLevel::info, LogFormat::text}));
}

TEST(ProgramConfiguration, ReadsItsKeys) {
  ProgramConfiguration configuration;
  EXPECT_EQ(
      read("state: /s\nadmin: 127.0.0.1:9100\nlog: {level: trace, format: json}", configuration),
      "");
  EXPECT_EQ(configuration.state, "/s");
  EXPECT_EQ(configuration.admin.unix_path, "");
  EXPECT_TRUE(configuration.has_state);
  EXPECT_TRUE(configuration.has_admin);
  EXPECT_EQ(configuration.admin.addresses[0].text(), "127.0.0.1:9100");
  EXPECT_EQ(configuration.log, (LogSettings{LogLevel::trace, LogFormat::json}));
}

TEST(ProgramConfiguration, GraceIsRead) {
  ProgramConfiguration configuration;
  const auto read = [&](std::string_view yaml) {
    return problems_of_reading(yaml, [&](const ConfigurationValue& value) {
      ConfigurationSection section(value);
      configuration = read_program_configuration(section);
      section.finish();
    });
  };
  EXPECT_EQ(read("grace: 2m"), "");
  EXPECT_EQ(configuration.grace, 2min);
  EXPECT_EQ(read("grace: 0s"), "");
  EXPECT_EQ(configuration.grace, 0s);
}

TEST(ProgramConfiguration, LogHasARate) {
  ProgramConfiguration configuration;
  EXPECT_EQ(read("log: {rate: 600/m}", configuration), "");
  EXPECT_EQ(configuration.log.lines_per_second, 10);
  EXPECT_EQ(read("", configuration), "");
  EXPECT_EQ(configuration.log.lines_per_second, 500);
  EXPECT_EQ(problems("log: {rate: 0/s}"),
            "f:1:13: log.rate: expected a rate such as 10/s or 600/m, not \"0/s\"");
}

TEST(ProgramConfiguration, MetricsHaveAnAddress) {
  ProgramConfiguration configuration;
  EXPECT_EQ(read("metrics: {listen: \"[::1]:5152\"}", configuration), "");
  EXPECT_EQ(configuration.metrics->text(), "[::1]:5152");
  EXPECT_EQ(read("", configuration), "");
  EXPECT_FALSE(configuration.metrics);
  EXPECT_EQ(problems("metrics: {listen: localhost}"),
            "f:1:19: metrics.listen: expected ADDRESS:PORT, not \"localhost\"");
  EXPECT_EQ(problems("metrics: {listen: 127.0.0.1:0}"),
            "f:1:19: metrics.listen: expected ADDRESS:PORT, not \"127.0.0.1:0\"");
  EXPECT_TRUE(problems("metrics: {port: 1}").contains("listen"));
}

TEST(ProgramConfiguration, Tailscale) {
  ProgramConfiguration configuration;
  EXPECT_EQ(read("tailscale: auto", configuration), "");
  EXPECT_EQ(configuration.tailscale, TailscaleSettings());
  EXPECT_EQ(read("tailscale: off", configuration), "");
  EXPECT_FALSE(configuration.tailscale.watched);
  EXPECT_EQ(read("tailscale: unix:/s/tailscaled.sock", configuration), "");
  EXPECT_EQ(configuration.tailscale.socket, "/s/tailscaled.sock");
  EXPECT_EQ(problems("tailscale: yes"),
            "f:1:12: tailscale: expected auto, off or unix:/PATH, not \"yes\"");
}

TEST(ProgramConfiguration, SaysWhatNeedsARestart) {
  const ProgramConfiguration now;
  EXPECT_TRUE(keys_for_restart(now, now).empty());
  ProgramConfiguration wanted;
  wanted.grace = 1h;  // a running program can take that over
  EXPECT_TRUE(keys_for_restart(now, wanted).empty());
  wanted.state = "/elsewhere";
  wanted.admin.unix_path = "/elsewhere/admin.sock";
  wanted.metrics = SocketAddress::parse("127.0.0.1:5152");
  wanted.log.level = LogLevel::debug;
  wanted.tailscale.watched = false;
  EXPECT_EQ(keys_for_restart(now, wanted),
            (std::vector<std::string>{"state", "admin", "metrics", "log", "tailscale"}));
}

TEST(ProgramConfiguration, SaysWhatIsWrong) {
  EXPECT_EQ(problems("state: [a]"), "f:1:8: state: expected a text, not a list");
  EXPECT_EQ(problems("state: lib"),
            "f:1:8: state: expected the absolute path of a folder, not \"lib\"");
  EXPECT_EQ(problems("admin: {unix: /a}"),
            "f:1:8: admin: expected unix:/PATH or ADDRESS:PORT, not a mapping");
  EXPECT_EQ(problems("admin: unix:a"),
            "f:1:8: admin: \"unix:a\": the path of a Unix socket must be absolute; write "
            "unix:/PATH");
  EXPECT_EQ(problems("log: info"),
            "f:1:6: log: expected keys with values, such as `{level: info}`, not \"info\"");
  EXPECT_EQ(problems("log: {level: verbose}"),
            "f:1:14: log.level: expected error, warn, info, debug or trace, not \"verbose\"");
}

TEST(TunnelSettings, AreRead) {
  const auto read_tunnel = [](std::string_view yaml, TunnelSettings& settings) {
    return problems_of_reading(yaml, [&](const ConfigurationValue& value) {
      ConfigurationSection section(value);
      settings = read_tunnel_settings(section);
      section.finish();
    });
  };
  TunnelSettings settings;
  EXPECT_EQ(read_tunnel("", settings), "");
  EXPECT_EQ(settings, (TunnelSettings{TunnelMode::automatic, 1420}));
  EXPECT_EQ(read_tunnel("{mode: userspace, mtu: 1280, patience: 2h}", settings), "");
  EXPECT_EQ(settings, (TunnelSettings{TunnelMode::userspace, 1280, 2h}));
  EXPECT_EQ(read_tunnel("{mode: kernel}", settings), "");
  EXPECT_EQ(settings.mode, TunnelMode::kernel);
  EXPECT_EQ(read_tunnel("{mode: {interface: wg0}}", settings), "");
  EXPECT_EQ(settings.mode, TunnelMode::interface);
  EXPECT_EQ(settings.interface, "wg0");
  EXPECT_EQ(read_tunnel("{mode: {interface: a/b}}", settings),
            "f:1:20: mode.interface: expected the name of a network interface, not \"a/b\"");
  EXPECT_EQ(read_tunnel("{patience: 5s}", settings),
            "f:1:12: patience: expected a duration from 1m to 1d, not \"5s\"");
  EXPECT_EQ(read_tunnel("{mode: direct, mtu: 9001}", settings),
            "f:1:8: mode: this tunnel is not in this version; write auto\n"
            "f:1:21: mtu: expected a whole number from 576 to 9000, not \"9001\"");
}

TEST(LaterKeys, AreRefusedWithARemedy) {
  constexpr std::array keys = {LaterKey{"acme", "and do this instead"}};
  EXPECT_EQ(problems_of_reading("acme: x",
                                [&](const ConfigurationValue& value) {
                                  ConfigurationSection section(value);
                                  refuse_later_keys(section, keys);
                                  section.finish();
                                }),
            "f:1:1: acme: is not in this version; remove it, and do this instead");
}

}  // namespace
}  // namespace sidestream::control
