#include "edge/routers/nginx_file.h"

#include <algorithm>
#include <utility>

namespace sidestream::edge {
namespace {

constexpr std::string_view heading =
    "# Written by sidestream, which overwrites what is changed here. Endpoints:\n";
constexpr std::string_view endpoint_mark = "#@ ";
constexpr std::string_view target_mark = "#> ";
constexpr std::string_view generation_mark = "#= ";

std::string_view next_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  const std::string_view line = text.substr(0, end);
  text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  return line;
}

class Map {
 public:
  Map(std::string_view from, std::string_view to, std::string_view otherwise) {
    text_ = "map " + std::string(from) + " " + std::string(to) + " {\n";
    text_ += "    default " + std::string(otherwise) + ";\n";
  }
  void add(const std::string& key, const std::string& value) {
    text_ += "    \"" + key + "\" " + value + ";\n";
  }
  [[nodiscard]] std::string text() const { return text_ + "}\n"; }

 private:
  std::string text_;
};

// The one that stands before all others: a name without its final dot, and its wildcard.
constexpr std::string_view name_maps =
    "map $ssl_preread_server_name $sidestream_name {\n"
    "    \"~^(?<sidestream_n>.+?)\\.?$\" $sidestream_n;\n"
    "}\n"
    "map $sidestream_name $sidestream_wildcard {\n"
    "    \"~^[^.]+(?<sidestream_p>\\..+)$\" \"*$sidestream_p\";\n"
    "}\n";

}  // namespace

std::string NginxFile::text() const {
  Map names("$sidestream_name:$server_port", "$sidestream_by_name", "$sidestream_by_wildcard");
  Map wildcards("$sidestream_wildcard:$server_port", "$sidestream_by_wildcard", "$sidestream_rest");
  Map rest("$server_port", "$sidestream_rest", "\"\"");
  Map ports("$server_port", "$sidestream_by_port", "\"\"");
  std::string marks(heading);
  std::set<std::uint16_t> used_ports;
  for (const control::Endpoint& endpoint : endpoints) {
    const std::string port = std::to_string(endpoint.port);
    marks += std::string(endpoint_mark) + endpoint.text() + "\n";
    if (!endpoint.name)
      rest.add(port, target);
    else
      (endpoint.name->is_wildcard() ? wildcards : names)
          .add(endpoint.name->text() + ":" + port, target);
    if (used_ports.insert(endpoint.port).second) ports.add(port, target);
  }
  marks += std::string(target_mark) + target + "\n";
  marks += std::string(generation_mark) + generation + "\n";
  const Map generations("$server_port", "$sidestream_generation", "\"" + generation + "\"");
  return marks + std::string(name_maps) + names.text() + wildcards.text() + rest.text() +
         ports.text() + generations.text();
}

std::optional<NginxFile> NginxFile::parse(std::string_view text) {
  NginxFile file;
  std::string_view rest = text;
  while (rest.starts_with('#')) {
    const std::string_view line = next_line(rest);
    const std::string_view value = line.substr(std::min(endpoint_mark.size(), line.size()));
    if (line.starts_with(endpoint_mark)) {
      const auto endpoint = control::Endpoint::parse(value);
      if (!endpoint) return std::nullopt;
      file.endpoints.insert(*endpoint);
    } else if (line.starts_with(target_mark)) {
      file.target = value;
    } else if (line.starts_with(generation_mark)) {
      file.generation = value;
    }
  }
  if (file.text() != text) return std::nullopt;
  return file;
}

}  // namespace sidestream::edge
