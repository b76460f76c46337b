#include "tailnet/local_api_requests.h"

#include <algorithm>

namespace sidestream::tailnet {
namespace {

// Anything else, and any Origin or Referer, is answered by 403.
constexpr std::string_view host = "local-tailscaled.sock";
constexpr std::string_view base = "/localapi/v0/";

constexpr unsigned initial_state = 2;
constexpr unsigned initial_health = 128;

control::HttpRequest ask(std::string_view method, std::string_view target) {
  control::HttpRequest request;
  request.method = method;
  request.target = std::string(base) + std::string(target);
  request.fields = {{"host", std::string(host)}};
  request.keep_alive = false;
  return request;
}

// Brackets and colons stand for themselves in a query (RFC 3986 section 3.4 has pchar, which has no
// brackets); the daemon's parser wants them escaped.
std::string escaped(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string result;
  for (const char c : text) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                       c == '.' || c == '-' || c == '_' || c == '~';
    if (plain) {
      result += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      result += '%';
      result += digits[byte >> 4];
      result += digits[byte & 15];
    }
  }
  return result;
}

}  // namespace

std::vector<std::string> socket_places(std::string_view configured, std::string_view ts_socket) {
  if (!configured.empty()) return {std::string(configured)};
  std::vector<std::string> places;
  if (!ts_socket.empty()) places.emplace_back(ts_socket);
  for (const std::string_view known :
       {"/var/run/tailscale/tailscaled.sock", "/run/tailscale/tailscaled.sock",
        "/tmp/tailscaled.sock", "/var/packages/Tailscale/var/tailscaled.sock",
        "/tmp/tailscale/tailscaled.sock", "/perm/tailscaled/tailscaled.sock"})
    if (std::ranges::find(places, known) == places.end()) places.emplace_back(known);
  return places;
}

control::HttpRequest status_request() {
  return ask("GET", "status?peers=false");
}

control::HttpRequest preferences_request() {
  return ask("GET", "prefs");
}

control::HttpRequest serve_config_request() {
  return ask("GET", "serve-config");
}

control::HttpRequest whois_request(const SocketAddress& address) {
  const SocketAddress plain{address.address.unmapped(), address.port};
  return ask("GET", "whois?addr=" + escaped(plain.text()) + "&proto=tcp");
}

control::HttpRequest whois_request(const IpAddress& address) {
  return ask("GET", "whois?addr=" + escaped(address.unmapped().text()));
}

control::HttpRequest ping_request(const IpAddress& address) {
  return ask("POST", "ping?type=disco&ip=" + escaped(address.unmapped().text()));
}

control::HttpRequest certificate_request(std::string_view name, std::uint32_t valid_hours) {
  return ask("GET", "cert/" + escaped(name) +
                        "?type=pair&min_validity=" + std::to_string(valid_hours) + "h");
}

control::HttpRequest dial_request(const std::string& host_name, std::uint16_t port) {
  control::HttpRequest request = ask("POST", "dial");
  request.keep_alive = true;
  request.fields.push_back({"connection", "upgrade"});
  request.fields.push_back({"upgrade", "ts-dial"});
  request.fields.push_back({"dial-host", host_name});
  request.fields.push_back({"dial-port", std::to_string(port)});
  return request;
}

control::HttpRequest bus_request() {
  return ask("GET", "watch-ipn-bus?mask=" + std::to_string(initial_state + initial_health));
}

}  // namespace sidestream::tailnet
