// What HAProxy answers on its Runtime API (HAProxy Management Guide, section 9.3), 2.4 to 3.x, read
// into values. Several commands on one line are answered one after the other, each answer ended by
// an empty line.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace sidestream::edge {

// One line of `show map`.
struct HaproxyEntry {
  std::string reference;  // `0x…`: this one, whatever other entries have the same key
  std::string key;
  std::string value;
  bool operator==(const HaproxyEntry&) const = default;
};

struct HaproxyView {
  struct Map {
    std::string id;
    std::string path;
    bool operator==(const Map&) const = default;
  };
  struct Server {
    std::string backend;
    std::string name;
    std::string address;  // `127.0.0.1:5150`, `unix`
    std::string status;   // `UP`, `no check`, `DOWN`, `MAINT`, …
    bool operator==(const Server&) const = default;
  };

  std::string version;
  std::string pid;
  std::uint64_t uptime_seconds = 0;
  std::vector<Map> maps;
  std::vector<Server> servers;
  std::set<std::string> backends;
  std::set<std::uint16_t> tcp_ports;  // on which frontends of mode tcp listen
  bool tells_ports = false;           // a frontend has `option socket-stats`
};

// `show info; show map; show stat -1 15 -1`.
inline constexpr std::string_view haproxy_view_command = "show info;show map;show stat -1 15 -1";
// nullopt: this is no such answer.
[[nodiscard]] std::optional<HaproxyView> parse_haproxy_view(std::string_view answer);
// `show map #ID`. Lines that are no entries are left out.
[[nodiscard]] std::vector<HaproxyEntry> parse_haproxy_map(std::string_view answer);

}  // namespace sidestream::edge
