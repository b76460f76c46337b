#include "edge/routers/router_reader.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "streams/message_text.h"
#include "streams/unix_path.h"

namespace sidestream::edge {
namespace {

enum class Kind : std::uint8_t { embedded, haproxy, nginx, traefik, caddy };

constexpr std::size_t prefixes_max = 64;
constexpr std::string_view unix_scheme = "unix:";
constexpr std::array<std::pair<std::string_view, Kind>, 5> words{{{"embedded", Kind::embedded},
                                                                  {"haproxy", Kind::haproxy},
                                                                  {"nginx", Kind::nginx},
                                                                  {"traefik", Kind::traefik},
                                                                  {"caddy", Kind::caddy}}};

// Nothing when it is no `unix:PATH`; what is wrong with the path has been reported then.
std::optional<std::string> read_unix_path(const ConfigurationValue& value,
                                          const std::string& text) {
  if (!text.starts_with(unix_scheme)) return std::nullopt;
  std::string path = text.substr(unix_scheme.size());
  if (const auto fine = check_unix_path(path); !fine)
    value.fail_parsing(in_quotes(text) + ": " + std::string(fine.error()));
  return path;
}

void read_listen(const ConfigurationValue& value, RouterInletSettings& inlet) {
  const auto text = value.text();
  if (!text) return;
  if (auto path = read_unix_path(value, *text)) {
    inlet.unix_path = std::move(*path);
    return;
  }
  const auto address = SocketAddress::parse(*text);
  if (address && address->port != 0 && !address->address.is_multicast())
    inlet.listen = *address;
  else
    value.fail_expected("ADDRESS:PORT, such as 127.0.0.1:5150, or unix:/PATH");
}

void read_from(const ConfigurationValue& value, RouterInletSettings& inlet) {
  inlet.from.clear();
  for (const ConfigurationValue& item : value.list(prefixes_max)) {
    const auto text = item.text();
    const auto prefix = text ? IpPrefix::parse(*text) : std::nullopt;
    if (prefix)
      inlet.from.push_back(*prefix);
    else if (text)
      item.fail_expected("an address or a network, such as 172.18.0.0/16");
  }
}

void read_inlet(ConfigurationSection& section, RouterInletSettings& inlet) {
  if (const auto listen = section.find("listen")) read_listen(*listen, inlet);
  const auto from = section.find("from");
  if (!from) return;
  if (inlet.unix_path.empty())
    read_from(*from, inlet);
  else
    from->fail(
        "a Unix socket has no addresses: who may connect is the matter of its file; remove "
        "`from`");
}

void read_path(const ConfigurationValue& value, std::string& path) {
  const auto text = value.text();
  if (!text) return;
  if (text->starts_with('/') && !text->ends_with('/'))
    path = *text;
  else
    value.fail_expected("the path of a file, from the root: /PATH");
}

bool is_haproxy_name(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("_:.-").contains(c);
  });
}

void read_server(const ConfigurationValue& value, HaproxySettings& settings) {
  const auto text = value.text();
  if (!text) return;
  const std::size_t slash = text->find('/');
  const std::string backend = text->substr(0, slash);
  const std::string server = slash == std::string::npos ? "" : text->substr(slash + 1);
  if (!is_haproxy_name(backend) || !is_haproxy_name(server)) {
    value.fail_expected("BACKEND/SERVER as HAProxy's configuration names them");
    return;
  }
  settings.backend = backend;
  settings.server = server;
}

HaproxySettings read_haproxy(const ConfigurationValue& value) {
  HaproxySettings settings;
  ConfigurationSection section(value, "{socket: unix:/run/haproxy/admin.sock}");
  if (const auto socket = section.find("socket")) {
    const auto text = socket->text();
    auto path = text ? read_unix_path(*socket, *text) : std::nullopt;
    if (text && !path) socket->fail_expected("unix:/PATH, the `stats socket` of HAProxy");
    settings.socket = std::move(path).value_or(settings.socket);
  }
  read_inlet(section, settings.inlet);
  if (const auto map = section.find("map")) read_path(*map, settings.map);
  if (const auto server = section.find("server")) read_server(*server, settings);
  section.finish();
  return settings;
}

// For routers that are told by us where to go.
void refuse_all_addresses(ConfigurationSection& section, const RouterInletSettings& inlet,
                          std::string_view router) {
  if (inlet.unix_path.empty() && inlet.listen.address.is_unspecified())
    section.find("listen")->fail(std::string(router) +
                                 " must know where to send streams; write one address");
}

// Where somebody is asked, or asks.
void read_address(const ConfigurationValue& value, SocketAddress& address,
                  std::string_view example) {
  const auto text = value.text();
  const auto parsed = text ? SocketAddress::parse(*text) : std::nullopt;
  if (parsed && parsed->port != 0 && !parsed->address.is_unspecified())
    address = *parsed;
  else if (text)
    value.fail_expected("ADDRESS:PORT, such as " + std::string(example));
}

NginxSettings read_nginx(const ConfigurationValue& value) {
  NginxSettings settings;
  ConfigurationSection section(value, "{reload: watched}");
  if (const auto file = section.find("file")) read_path(*file, settings.file);
  if (const auto answers = section.find("answers"))
    read_address(*answers, settings.answers, "127.0.0.1:5149");
  if (const auto reload = section.find("reload")) {
    const auto text = reload->text();
    if (text && text->starts_with('/') && !text->ends_with('/'))
      settings.pid_file = *text;
    else if (text == "watched")
      settings.pid_file.clear();
    else if (text)
      reload->fail_expected("`watched`, or the path of NGINX's `pid` file");
  }
  read_inlet(section, settings.inlet);
  refuse_all_addresses(section, settings.inlet, "NGINX");
  section.finish();
  return settings;
}

TraefikSettings read_traefik(const ConfigurationValue& value) {
  TraefikSettings settings;
  ConfigurationSection section(value, "{api: \"127.0.0.1:8080\"}");
  if (const auto api = section.find("api")) read_address(*api, settings.api, "127.0.0.1:8080");
  if (const auto provider = section.find("provider"))
    read_address(*provider, settings.provider, "127.0.0.1:5148");
  if (const auto file = section.find("file")) {
    read_path(*file, settings.file);
    if (!settings.file.empty() && !settings.file.ends_with(".yaml") &&
        !settings.file.ends_with(".yml"))
      file->fail("Traefik reads files that end in .yaml or .yml; name it so");
  }
  read_inlet(section, settings.inlet);
  refuse_all_addresses(section, settings.inlet, "Traefik");
  if (!settings.inlet.unix_path.empty())
    section.find("listen")->fail("Traefik connects to addresses only; write ADDRESS:PORT");
  section.finish();
  return settings;
}

CaddySettings read_caddy(const ConfigurationValue& value) {
  CaddySettings settings;
  ConfigurationSection section(value, "{admin: \"127.0.0.1:2019\"}");
  if (const auto admin = section.find("admin")) {
    const auto text = admin->text();
    if (auto path = text ? read_unix_path(*admin, *text) : std::nullopt)
      settings.admin_path = std::move(*path);
    else
      read_address(*admin, settings.admin, "127.0.0.1:2019, or unix:/PATH");
  }
  read_inlet(section, settings.inlet);
  refuse_all_addresses(section, settings.inlet, "Caddy");
  section.finish();
  return settings;
}

}  // namespace

RouterSettings read_router(const ConfigurationValue& value) {
  if (!value.is_section()) {
    const auto kind = value.choice(words);
    if (kind == Kind::haproxy) return HaproxySettings();
    if (kind == Kind::nginx) return NginxSettings();
    if (kind == Kind::traefik) return TraefikSettings();
    if (kind == Kind::caddy) return CaddySettings();
    return EmbeddedSettings();
  }
  ConfigurationSection section(value, "haproxy");
  std::optional<RouterSettings> settings;
  const auto haproxy = section.find("haproxy");
  if (haproxy) settings = read_haproxy(*haproxy);
  constexpr std::string_view one = "an edge has one router; remove one of the two";
  if (const auto nginx = section.find("nginx")) {
    if (settings) nginx->fail(std::string(one));
    settings = read_nginx(*nginx);
  }
  if (const auto traefik = section.find("traefik")) {
    if (settings) traefik->fail(std::string(one));
    settings = read_traefik(*traefik);
  }
  if (const auto caddy = section.find("caddy")) {
    if (settings) caddy->fail(std::string(one));
    settings = read_caddy(*caddy);
  }
  section.finish();
  return settings.value_or(EmbeddedSettings());
}

RouterSettings with_files_in(RouterSettings settings, const std::string& folder) {
  if (auto* haproxy = std::get_if<HaproxySettings>(&settings))
    if (haproxy->map.empty()) haproxy->map = folder + "/haproxy.map";
  if (auto* nginx = std::get_if<NginxSettings>(&settings))
    if (nginx->file.empty()) nginx->file = folder + "/nginx.conf";
  return settings;
}

}  // namespace sidestream::edge
