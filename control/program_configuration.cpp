#include "control/program_configuration.h"

#include <algorithm>
#include <array>
#include <optional>

#include "control/configuration_values.h"
#include "streams/message_text.h"
#include "streams/unix_path.h"

namespace sidestream::control {
namespace {

constexpr std::size_t admin_addresses_max = 8;
constexpr std::string_view unix_scheme = "unix:";
constexpr std::string_view admin_forms = "unix:/PATH or ADDRESS:PORT";

constexpr std::array<std::pair<std::string_view, LogLevel>, 5> log_levels{
    {{"error", LogLevel::error},
     {"warn", LogLevel::warn},
     {"info", LogLevel::info},
     {"debug", LogLevel::debug},
     {"trace", LogLevel::trace}}};
constexpr std::array<std::pair<std::string_view, LogFormat>, 2> log_formats{
    {{"text", LogFormat::text}, {"json", LogFormat::json}}};

constexpr std::array<std::pair<std::string_view, TunnelMode>, 3> tunnel_modes{
    {{"auto", TunnelMode::automatic},
     {"userspace", TunnelMode::userspace},
     {"kernel", TunnelMode::kernel}}};
constexpr std::string_view later_mode = "this tunnel is not in this version; write auto";
constexpr std::array<ConfigurationValue::LaterWord, 2> later_tunnel_modes{
    {{"tailscale", later_mode}, {"direct", later_mode}}};

void read_state(ConfigurationSection& section, ProgramConfiguration& configuration) {
  const auto value = section.find("state");
  configuration.has_state = value.has_value();
  const auto path = value ? value->text() : std::nullopt;
  if (!path) return;
  if (!path->starts_with('/') || path->contains('\0'))
    value->fail_expected("the absolute path of a folder");
  configuration.state = *path;
}

void read_admin_address(const ConfigurationValue& value, AdminAddresses& admin) {
  const auto text = value.text();
  if (!text) return;
  if (text->starts_with(unix_scheme)) {
    const std::string path = text->substr(unix_scheme.size());
    const auto fine = check_unix_path(path);
    if (!fine) return value.fail_parsing(in_quotes(*text) + ": " + std::string(fine.error()));
    if (!admin.unix_path.empty()) return value.fail("only one unix: path can be given");
    admin.unix_path = path;
    return;
  }
  const auto address = SocketAddress::parse(*text);
  if (!address || address->port == 0) return value.fail_expected(admin_forms);
  if (std::ranges::find(admin.addresses, *address) != admin.addresses.end())
    return value.fail("this address is in the list already; remove one of the two");
  admin.addresses.push_back(*address);
}

std::optional<SocketAddress> read_metrics(ConfigurationSection& section) {
  const auto value = section.find("metrics");
  if (!value) return std::nullopt;
  ConfigurationSection metrics(*value, "{listen: \"127.0.0.1:5152\"}");
  std::optional<SocketAddress> address;
  if (const auto listen = metrics.require("listen", "listen: \"127.0.0.1:5152\"")) {
    const auto text = listen->text();
    const auto parsed = text ? SocketAddress::parse(*text) : std::nullopt;
    if (parsed && parsed->port != 0)
      address = *parsed;
    else if (text)
      listen->fail_expected("ADDRESS:PORT");
  }
  metrics.finish();
  return address;
}

LogSettings read_log(ConfigurationSection& section) {
  LogSettings settings;
  const auto value = section.find("log");
  if (!value) return settings;
  ConfigurationSection log(*value, "{level: info}");
  if (const auto level = log.find("level"))
    settings.level = level->choice(log_levels).value_or(settings.level);
  if (const auto format = log.find("format"))
    settings.format = format->choice(log_formats).value_or(settings.format);
  if (const auto rate = log.find("rate"))
    settings.lines_per_second = read_rate(*rate).value_or(settings.lines_per_second);
  log.finish();
  return settings;
}

// IFNAMSIZ, without the terminator; the kernel takes everything but these two.
bool can_name_interface(std::string_view name) {
  constexpr std::size_t bytes_max = 15;
  return name.size() <= bytes_max && name != "." && name != ".." &&
         std::ranges::all_of(name, [](char one) { return one > ' ' && one != '/' && one < 0x7f; });
}

void read_tunnel_mode(const ConfigurationValue& mode, TunnelSettings& settings) {
  if (!mode.is_section()) {
    settings.mode = mode.choice(tunnel_modes, later_tunnel_modes).value_or(settings.mode);
    return;
  }
  ConfigurationSection section(mode, "{interface: wg0}");
  if (const auto interface = section.require("interface", "interface: wg0")) {
    const auto name = interface->text();
    if (name && can_name_interface(*name)) {
      settings.mode = TunnelMode::interface;
      settings.interface = *name;
    } else if (name) {
      interface->fail_expected("the name of a network interface");
    }
  }
  section.finish();
}

TailscaleSettings read_tailscale(ConfigurationSection& section) {
  TailscaleSettings settings;
  const auto value = section.find("tailscale");
  const auto text = value ? value->text() : std::nullopt;
  if (!text || *text == "auto") return settings;
  settings.watched = *text != "off";
  if (!settings.watched) return settings;
  if (!text->starts_with(unix_scheme)) {
    value->fail_expected("auto, off or unix:/PATH");
    return settings;
  }
  settings.socket = text->substr(unix_scheme.size());
  if (const auto fine = check_unix_path(settings.socket); !fine)
    value->fail_parsing(in_quotes(*text) + ": " + std::string(fine.error()));
  return settings;
}

}  // namespace

AdminAddresses read_admin_addresses(ConfigurationSection& section) {
  AdminAddresses admin;
  const auto value = section.find("admin");
  if (!value) return admin;
  if (value->is_section()) {
    value->fail_expected(admin_forms);
    return admin;
  }
  admin.unix_path.clear();
  for (const ConfigurationValue& item : value->list(admin_addresses_max))
    read_admin_address(item, admin);
  return admin;
}

ProgramConfiguration read_program_configuration(ConfigurationSection& section) {
  ProgramConfiguration configuration;
  read_state(section, configuration);
  configuration.has_admin = section.find("admin").has_value();
  configuration.admin = read_admin_addresses(section);
  configuration.metrics = read_metrics(section);
  configuration.log = read_log(section);
  configuration.tailscale = read_tailscale(section);
  if (const auto grace = section.find("grace"))
    configuration.grace =
        grace->duration(Duration::zero(), grace_max).value_or(configuration.grace);
  return configuration;
}

TunnelSettings read_tunnel_settings(ConfigurationSection& tunnel) {
  TunnelSettings settings;
  if (const auto mode = tunnel.find("mode")) read_tunnel_mode(*mode, settings);
  if (const auto mtu = tunnel.find("mtu")) {
    const auto number = mtu->integer(TunnelSettings::mtu_min, TunnelSettings::mtu_max);
    if (number) settings.mtu = static_cast<std::size_t>(*number);
  }
  if (const auto patience = tunnel.find("patience"))
    settings.patience =
        patience->duration(TunnelSettings::patience_min, TunnelSettings::patience_max)
            .value_or(settings.patience);
  return settings;
}

std::vector<std::string> keys_for_restart(const ProgramConfiguration& now,
                                          const ProgramConfiguration& wanted) {
  std::vector<std::string> keys;
  if (now.state != wanted.state) keys.emplace_back("state");
  if (now.admin != wanted.admin) keys.emplace_back("admin");
  if (now.metrics != wanted.metrics) keys.emplace_back("metrics");
  if (now.log != wanted.log) keys.emplace_back("log");
  if (now.tailscale != wanted.tailscale) keys.emplace_back("tailscale");
  return keys;
}

void refuse_later_keys(ConfigurationSection& section, std::span<const LaterKey> keys) {
  for (const LaterKey& later : keys)
    section.refuse(later.key, "is not in this version; remove it, " + std::string(later.remedy));
}

}  // namespace sidestream::control
