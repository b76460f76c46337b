// The kernel's table of TCP sockets, /proc/net/tcp and /proc/net/tcp6 (proc(5)).
#pragma once

#include <cstdint>
#include <set>
#include <string_view>

namespace sidestream::edge {

// The ports on which somebody listens. Lines that are none of the table are left out.
[[nodiscard]] std::set<std::uint16_t> listening_ports(std::string_view table);

}  // namespace sidestream::edge
