#include "edge/routers/tcp_table.h"

#include <algorithm>
#include <charconv>

namespace sidestream::edge {
namespace {

constexpr std::string_view listen_state = "0A";  // TCP_LISTEN

std::string_view next_word(std::string_view& line) {
  line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
  const std::size_t end = std::min(line.find(' '), line.size());
  const std::string_view word = line.substr(0, end);
  line.remove_prefix(end);
  return word;
}

}  // namespace

std::set<std::uint16_t> listening_ports(std::string_view table) {
  std::set<std::uint16_t> ports;
  while (!table.empty()) {
    const std::size_t end = std::min(table.find('\n'), table.size());
    std::string_view line = table.substr(0, end);
    table.remove_prefix(std::min(end + 1, table.size()));
    (void)next_word(line);  // a number
    const std::string_view local = next_word(line);
    (void)next_word(line);  // the other end
    const std::size_t colon = local.rfind(':');
    if (next_word(line) != listen_state || colon == std::string_view::npos) continue;
    std::uint16_t port = 0;
    const auto read =
        std::from_chars(local.data() + colon + 1, local.data() + local.size(), port, 16);
    if (read.ec == std::errc() && read.ptr == local.data() + local.size()) ports.insert(port);
  }
  return ports;
}

}  // namespace sidestream::edge
