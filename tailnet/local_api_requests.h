// What the Tailscale daemon is asked on its LocalAPI (HTTP/1.1 over a Unix socket), and where that
// socket is.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "control/http_message.h"
#include "streams/ip_address.h"

namespace sidestream::tailnet {

// Where the daemon's socket may be, the likeliest first. `configured` alone when it is not empty;
// `ts_socket` is the environment's TS_SOCKET. /tmp is where Tailscale's container image has it,
// /var/packages a Synology, /tmp/tailscale a QNAP, /perm gokrazy.
[[nodiscard]] std::vector<std::string> socket_places(std::string_view configured,
                                                     std::string_view ts_socket);

[[nodiscard]] control::HttpRequest status_request();
[[nodiscard]] control::HttpRequest preferences_request();
[[nodiscard]] control::HttpRequest serve_config_request();
// Who is `address`, which may have a port: 127.0.0.1:PORT is whom the daemon dialled us for in user
// space. An IPv4 address as IPv6 is asked for as IPv4.
[[nodiscard]] control::HttpRequest whois_request(const SocketAddress& address);
[[nodiscard]] control::HttpRequest whois_request(const IpAddress& address);
[[nodiscard]] control::HttpRequest ping_request(const IpAddress& address);
// Key, then chain, valid for a third of its life at least: the daemon renews what is older.
[[nodiscard]] control::HttpRequest certificate_request(std::string_view name,
                                                       std::uint32_t valid_hours);
// A stream to a host of the tailnet, after 101.
[[nodiscard]] control::HttpRequest dial_request(const std::string& host, std::uint16_t port);

// Lines without end, the first ones with the state and the health as they are.
[[nodiscard]] control::HttpRequest bus_request();

}  // namespace sidestream::tailnet
