// Which router accepts public connections and how it is reached, as plain values.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "streams/ip_address.h"

namespace sidestream::edge {

// Where a router outside of this program hands streams over.
struct RouterInletSettings {
  SocketAddress listen{IpAddress::v4(0x7f000001), 5150};  // unused when unix_path is set
  std::string unix_path = {};                             // empty: not a Unix socket
  // Who may hand over streams, and so say that any client is another one; for a TCP listener.
  std::vector<IpPrefix> from{IpPrefix(IpAddress::v4(0x7f000000), 8),
                             IpPrefix(*IpAddress::parse("::1"), 128)};

  [[nodiscard]] std::string text() const {
    return unix_path.empty() ? listen.text() : "unix:" + unix_path;
  }
  bool operator==(const RouterInletSettings&) const = default;
};

struct EmbeddedSettings {
  bool operator==(const EmbeddedSettings&) const = default;
};

struct HaproxySettings {
  std::string socket = "/run/haproxy/admin.sock";  // of the Runtime API
  // The file that HAProxy reads its map from when it starts, which it may know in another folder;
  // empty: `haproxy.map` in the state folder.
  std::string map = {};
  std::string backend = "sidestream";
  std::string server = "edge";
  RouterInletSettings inlet = {};  // where the server leads

  bool operator==(const HaproxySettings&) const = default;
};

struct NginxSettings {
  // The file that NGINX includes; empty: `nginx.conf` in the state folder.
  std::string file = {};
  // Where NGINX says which file it has loaded.
  SocketAddress answers{IpAddress::v4(0x7f000001), 5149};
  std::string pid_file = "/run/nginx.pid";  // empty: somebody watches the file and reloads
  RouterInletSettings inlet = {};           // where streams go

  bool operator==(const NginxSettings&) const = default;
};

struct TraefikSettings {
  SocketAddress api{IpAddress::v4(0x7f000001), 8080};
  SocketAddress provider{IpAddress::v4(0x7f000001), 5148};  // where it asks what to route
  std::string file = {};           // where it reads what to route instead; empty: it asks
  RouterInletSettings inlet = {};  // where streams go

  bool operator==(const TraefikSettings&) const = default;
};

struct CaddySettings {
  SocketAddress admin{IpAddress::v4(0x7f000001), 2019};  // unused when admin_path is set
  std::string admin_path = {};                           // empty: not a Unix socket
  RouterInletSettings inlet = {};                        // where streams go

  [[nodiscard]] std::string admin_text() const {
    return admin_path.empty() ? admin.text() : "unix:" + admin_path;
  }
  bool operator==(const CaddySettings&) const = default;
};

using RouterSettings =
    std::variant<EmbeddedSettings, HaproxySettings, NginxSettings, TraefikSettings, CaddySettings>;

// Where a router outside of this program hands streams over; nullptr: it is the embedded one.
[[nodiscard]] inline const RouterInletSettings* inlet_of(const RouterSettings& settings) {
  if (const auto* haproxy = std::get_if<HaproxySettings>(&settings)) return &haproxy->inlet;
  if (const auto* nginx = std::get_if<NginxSettings>(&settings)) return &nginx->inlet;
  if (const auto* traefik = std::get_if<TraefikSettings>(&settings)) return &traefik->inlet;
  if (const auto* caddy = std::get_if<CaddySettings>(&settings)) return &caddy->inlet;
  return nullptr;
}
// The file that the router reads when it starts; empty: there is none.
[[nodiscard]] inline std::string file_of(const RouterSettings& settings) {
  if (const auto* haproxy = std::get_if<HaproxySettings>(&settings)) return haproxy->map;
  if (const auto* nginx = std::get_if<NginxSettings>(&settings)) return nginx->file;
  if (const auto* traefik = std::get_if<TraefikSettings>(&settings)) return traefik->file;
  return {};
}

}  // namespace sidestream::edge
