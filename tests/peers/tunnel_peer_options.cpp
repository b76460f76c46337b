#include "tests/peers/tunnel_peer_options.h"

#include <charconv>
#include <utility>

#include "tests/support/link_quality_text.h"
#include "tunnel/bbr.h"
#include "tunnel/cubic.h"

namespace sidestream::tunnel {
namespace {

// "left=right" or "left,right"; the whole text on the left when the separator is missing.
std::pair<std::string_view, std::string_view> cut(std::string_view text, char separator) {
  const std::size_t at = text.find(separator);
  if (at == std::string_view::npos) return {text, {}};
  return {text.substr(0, at), text.substr(at + 1)};
}

template <typename Number>
bool parse_number(std::string_view text, Number& number) {
  const char* const end = text.data() + text.size();
  const auto [stopped, problem] = std::from_chars(text.data(), end, number);
  return problem == std::errc{} && stopped == end;
}

template <typename Value>
bool store(std::optional<Value> parsed, Value& value) {
  if (!parsed) return false;
  value = *parsed;
  return true;
}

bool parse_setting(std::string_view name, std::string_view value, PeerConfiguration& peer) {
  if (name == "key") return store(PublicKey::parse(value), peer.public_key);
  if (name == "preshared") return store(PresharedKey::parse(value), peer.preshared_key);
  if (name == "endpoint") {
    peer.endpoint = SocketAddress::parse(value);
    return peer.endpoint.has_value();
  }
  if (name == "allowed") {
    IpPrefix prefix;
    if (!store(IpPrefix::parse(value), prefix)) return false;
    peer.allowed_ips.push_back(prefix);
    return true;
  }
  if (name == "keepalive") {
    unsigned seconds = 0;
    if (!parse_number(value, seconds)) return false;
    peer.persistent_keepalive = std::chrono::seconds(seconds);
    return true;
  }
  return false;
}

bool parse_peer(std::string_view text, PeerConfiguration& peer) {
  while (!text.empty()) {
    const auto [setting, rest] = cut(text, ',');
    const auto [name, value] = cut(setting, '=');
    if (!parse_setting(name, value, peer)) return false;
    text = rest;
  }
  return true;
}

bool parse_option(std::string_view name, std::string_view value, TunnelPeerOptions& options) {
  if (name == "--private-key") {
    options.private_key_file = value;
    return true;
  }
  if (name == "--address") return store(IpAddress::parse(value), options.addresses.emplace_back());
  if (name == "--listen") return store(SocketAddress::parse(value), options.listen);
  if (name == "--mtu") return parse_number(value, options.mtu);
  if (name == "--peer") return parse_peer(value, options.peers.emplace_back());
  if (name == "--tun") {
    options.tun = value;
    return true;
  }
  if (name == "--congestion") {
    options.congestion = value == "cubic" ? make_cubic : make_bbr;
    return value == "cubic" || value == "bbr";
  }
  if (name == "--line") return store(parse_link_quality(value), options.line);
  if (name == "--keepalive") {
    unsigned seconds = 0;
    if (!parse_number(value, seconds)) return false;
    options.keepalive = std::chrono::seconds(seconds);
    return true;
  }
  const auto [left, right] = cut(value, '=');
  if (name == "--out") {
    ForwardOut& forward = options.out.emplace_back();
    return store(SocketAddress::parse(left), forward.listen) &&
           store(SocketAddress::parse(right), forward.target);
  }
  if (name == "--in") {
    ForwardIn& forward = options.in.emplace_back();
    return parse_number(left, forward.port) && store(SocketAddress::parse(right), forward.target);
  }
  return false;
}

}  // namespace

std::expected<TunnelPeerOptions, std::string> parse_tunnel_peer_options(
    std::span<const std::string_view> words) {
  TunnelPeerOptions options;
  for (; words.size() >= 2; words = words.subspan(2))
    if (!parse_option(words[0], words[1], options))
      return std::unexpected(std::string(words[0]) + ": not understood: " + std::string(words[1]));
  if (!words.empty()) return std::unexpected(std::string(words[0]) + ": has no value");
  return options;
}

}  // namespace sidestream::tunnel
