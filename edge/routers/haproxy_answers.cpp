#include "edge/routers/haproxy_answers.h"

#include <algorithm>
#include <charconv>
#include <span>

#include "streams/host_port.h"

namespace sidestream::edge {
namespace {

std::string_view take_until(std::string_view& rest, char end) {
  const std::size_t at = rest.find(end);
  const std::string_view taken = rest.substr(0, at);
  rest = at == std::string_view::npos ? std::string_view() : rest.substr(at + 1);
  return taken;
}

// The lines up to the next empty one.
std::vector<std::string_view> take_answer(std::string_view& rest) {
  std::vector<std::string_view> lines;
  while (!rest.empty()) {
    const std::string_view line = take_until(rest, '\n');
    if (line.empty()) break;
    lines.push_back(line);
  }
  return lines;
}

// `Pid: 42`.
std::string_view fact(const std::vector<std::string_view>& lines, std::string_view name) {
  for (const std::string_view line : lines)
    if (line.starts_with(name) && line.substr(name.size()).starts_with(": "))
      return line.substr(name.size() + 2);
  return {};
}

// `1 (/etc/haproxy/x.map) pattern loaded from file …`.
void read_map(std::string_view line, HaproxyView& view) {
  const std::string_view id = take_until(line, ' ');
  const std::size_t end = line.find(") ");
  if (id.empty() || id.starts_with('#') || !line.starts_with('(') || end == std::string_view::npos)
    return;
  view.maps.push_back({std::string(id), std::string(line.substr(1, end - 1))});
}

// The fields of a line of `show stat`, by the names of its first line.
class StatLine {
 public:
  StatLine(const std::vector<std::string_view>& names, std::string_view line) : names_(names) {
    while (!line.empty() && fields_.size() < names.size()) fields_.push_back(take_until(line, ','));
  }
  [[nodiscard]] std::string_view operator[](std::string_view name) const {
    const auto at = std::ranges::find(names_, name) - names_.begin();
    const auto index = static_cast<std::size_t>(at);
    return index < fields_.size() ? fields_[index] : std::string_view();
  }

 private:
  const std::vector<std::string_view>& names_;
  std::vector<std::string_view> fields_;
};

void read_listener(const StatLine& line, HaproxyView& view) {
  view.tells_ports = true;
  const std::string_view address = line["addr"];
  const auto port = parse_port_number(address.substr(address.rfind(':') + 1));
  const std::string_view mode = line["mode"];
  if (port && (mode == "tcp" || mode.empty())) view.tcp_ports.insert(*port);
}

void read_statistics(const std::vector<std::string_view>& lines, HaproxyView& view) {
  std::string_view heading = lines.front();
  heading.remove_prefix(heading.starts_with("# ") ? 2 : 0);
  std::vector<std::string_view> names;
  while (!heading.empty()) names.push_back(take_until(heading, ','));
  for (const std::string_view text : std::span(lines).subspan(1)) {
    const StatLine line(names, text);
    const std::string_view type = line["type"];
    if (type == "1") view.backends.emplace(line["pxname"]);
    if (type == "2")
      view.servers.push_back({std::string(line["pxname"]), std::string(line["svname"]),
                              std::string(line["addr"]), std::string(line["status"])});
    if (type == "3") read_listener(line, view);
  }
}

}  // namespace

std::optional<HaproxyView> parse_haproxy_view(std::string_view answer) {
  const auto process = take_answer(answer);
  const auto maps = take_answer(answer);
  const auto statistics = take_answer(answer);
  HaproxyView view;
  view.pid = fact(process, "Pid");
  view.version = fact(process, "Version");
  if (fact(process, "Name") != "HAProxy" || view.pid.empty() || statistics.empty())
    return std::nullopt;
  const std::string_view uptime = fact(process, "Uptime_sec");
  (void)std::from_chars(uptime.data(), uptime.data() + uptime.size(), view.uptime_seconds);
  for (const std::string_view line : maps) read_map(line, view);
  read_statistics(statistics, view);
  return view;
}

std::vector<HaproxyEntry> parse_haproxy_map(std::string_view answer) {
  std::vector<HaproxyEntry> entries;
  for (std::string_view line : take_answer(answer)) {
    const std::string_view reference = take_until(line, ' ');
    const std::string_view key = take_until(line, ' ');
    if (!reference.starts_with("0x") || key.empty()) continue;
    entries.push_back({std::string(reference), std::string(key), std::string(line)});
  }
  return entries;
}

}  // namespace sidestream::edge
