// Readers of the values that sidecar.yaml, edge.yaml and the edge's state have in common. Like the
// getters of ConfigurationValue they report a problem and return nothing when a value is wrong.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "streams/configuration_reader.h"
#include "streams/host_port.h"
#include "streams/ip_address.h"
#include "tunnel/wireguard_keys.h"

namespace sidestream::control {

[[nodiscard]] std::optional<HostPort> read_host_port(const ConfigurationValue& value);
// An address that a machine can have inside the tunnel.
[[nodiscard]] std::optional<IpAddress> read_tunnel_address(const ConfigurationValue& value);
[[nodiscard]] std::optional<tunnel::PublicKey> read_public_key(const ConfigurationValue& value);
// No message shows anything of these two. An all-zero key is refused.
[[nodiscard]] std::optional<tunnel::PrivateKey> read_private_key(const ConfigurationValue& value);
[[nodiscard]] std::optional<tunnel::PresharedKey> read_preshared_key(
    const ConfigurationValue& value);

// `10/s` or `600/m`, as how often in a second.
[[nodiscard]] std::optional<double> read_rate(const ConfigurationValue& value);

// What a program may use of memory, in bytes.
[[nodiscard]] std::optional<std::size_t> read_memory_limit(const ConfigurationValue& value);

// Whether a name is fit for a sidecar or a service: 1 to 63 letters, digits, hyphens and
// underscores, a letter or digit first. Such a name needs no escaping anywhere.
[[nodiscard]] bool is_plain_name(std::string_view name);
inline constexpr std::string_view plain_name_rule =
    "a name has 1 to 63 letters, digits, hyphens and underscores, and begins with a letter or "
    "digit";

// A text that `Value::parse` reads, whose error begins with its input in quotes.
template <typename Value>
[[nodiscard]] std::optional<Value> read_parsed(const ConfigurationValue& value) {
  const auto text = value.text();
  if (!text) return std::nullopt;
  auto parsed = Value::parse(*text);
  if (parsed) return std::move(*parsed);
  value.fail_parsing(parsed.error());
  return std::nullopt;
}

}  // namespace sidestream::control
