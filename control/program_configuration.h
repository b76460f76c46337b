// The keys that sidecar.yaml and edge.yaml share: `tunnel`, `state`, `admin`, `metrics`, `log`,
// `tailscale` and `grace`, and keys that are known but come with a later version.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "streams/configuration_reader.h"
#include "streams/ip_address.h"
#include "streams/log_settings.h"
#include "streams/time.h"
#include "tunnel/tcp_limits.h"

namespace sidestream::control {

inline constexpr std::string_view state_folder_default = "/var/lib/sidestream";
// Behind the reason why the state folder cannot be used.
inline constexpr std::string_view state_folder_advice =
    "; set `state` to a folder that this user may write to";
inline constexpr std::string_view admin_socket_default = "/run/sidestream/admin.sock";

// Where health, status and metrics are served.
struct AdminAddresses {
  std::string unix_path{admin_socket_default};  // empty: none
  std::vector<SocketAddress> addresses;
  bool operator==(const AdminAddresses&) const = default;
};

enum class TunnelMode : std::uint8_t {
  automatic,  // the kernel where that works, else user space
  userspace,
  kernel,     // an interface of our own
  interface,  // one that somebody else manages
};

inline constexpr Duration grace_max = 24h;

struct TunnelSettings {
  static constexpr std::size_t mtu_min = 576;
  static constexpr std::size_t mtu_max = 9000;

  TunnelMode mode = TunnelMode::automatic;
  static constexpr Duration patience_min = 1min;
  static constexpr Duration patience_max = 24h;

  std::size_t mtu = 1420;  // of packets inside the tunnel
  // How long a live stream waits for a tunnel that carries nothing.
  Duration patience = tunnel::stream_patience_default;
  std::string interface{};  // of TunnelMode::interface
  bool operator==(const TunnelSettings&) const = default;
};

// Whether and where the Tailscale daemon of the machine is watched.
struct TailscaleSettings {
  bool watched = true;
  std::string socket;  // path; empty: where it is as a rule, if it is there at the start
  bool operator==(const TailscaleSettings&) const = default;
};

struct ProgramConfiguration {
  std::string state{state_folder_default};  // a folder
  AdminAddresses admin;
  std::optional<SocketAddress> metrics;  // where metrics are told beside the admin addresses
  LogSettings log;
  TailscaleSettings tailscale;
  // For live streams to end by themselves after a first signal to stop.
  Duration grace = 10s;
  // Whether they were written, or are the defaults, which a program without privileges outside of
  // a container may not be able to use.
  bool has_state = false;
  bool has_admin = false;
  bool operator==(const ProgramConfiguration&) const = default;
};

// Reads `admin`; the default when it is not there.
[[nodiscard]] AdminAddresses read_admin_addresses(ConfigurationSection& section);
// Reads `state`, `admin`, `metrics`, `log`, `tailscale` and `grace`.
[[nodiscard]] ProgramConfiguration read_program_configuration(ConfigurationSection& section);
// Reads `mode`, `mtu` and `patience` of a `tunnel` section; the caller finishes the section.
[[nodiscard]] TunnelSettings read_tunnel_settings(ConfigurationSection& tunnel);

// The keys whose change a running program cannot take over.
[[nodiscard]] std::vector<std::string> keys_for_restart(const ProgramConfiguration& now,
                                                        const ProgramConfiguration& wanted);

// A key that design and documentation know and this version does not.
struct LaterKey {
  std::string_view key;
  std::string_view remedy;  // what to do until then
};
void refuse_later_keys(ConfigurationSection& section, std::span<const LaterKey> keys);

}  // namespace sidestream::control
