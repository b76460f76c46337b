#include "edge/routers/haproxy_map.h"

#include <map>
#include <utility>

namespace sidestream::edge {
namespace {

std::string key_of(const control::Endpoint& endpoint) {
  return (endpoint.name ? endpoint.name->text() : std::string()) + ":" +
         std::to_string(endpoint.port);
}

std::string key_of_port(const control::Endpoint& endpoint) {
  return std::to_string(endpoint.port);
}

// Packs commands into as few lines as they fit in.
class Lines {
 public:
  // Commands that stand beside each other on a line.
  void add(const std::string& command) {
    if (line_.size() + command.size() + 2 > haproxy_command_bytes_max) end_line();
    line_ += (line_.empty() ? "" : ";") + command;
  }
  // One command with many entries as its payload, which ends with an empty line.
  void add_entry(const std::string& map_id, const std::string& entry) {
    if (payload_.size() + entry.size() + 3 > haproxy_command_bytes_max) end_payload();
    if (payload_.empty()) payload_ = "add map #" + map_id + " <<\n";
    payload_ += entry + "\n";
  }
  std::vector<std::string> take() {
    end_payload();
    end_line();
    return std::move(lines_);
  }

 private:
  void end_line() {
    if (!line_.empty()) lines_.push_back(std::exchange(line_, {}) + "\n");
  }
  void end_payload() {
    if (!payload_.empty()) lines_.push_back(std::exchange(payload_, {}) + "\n");
  }

  std::vector<std::string> lines_;
  std::string line_;
  std::string payload_;
};

std::map<std::string_view, const HaproxyEntry*> first_of_each_key(
    const std::vector<HaproxyEntry>& entries) {
  std::map<std::string_view, const HaproxyEntry*> first;
  for (const HaproxyEntry& entry : entries) first.try_emplace(entry.key, &entry);
  return first;
}

std::string_view next_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  const std::string_view line = text.substr(0, end);
  text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  return line;
}

// `KEY sidestream`.
std::string_view our_key(std::string_view line) {
  const std::size_t blank = line.find(' ');
  if (blank == std::string_view::npos || line.substr(blank + 1) != haproxy_value) return {};
  return line.substr(0, blank);
}

}  // namespace

std::set<std::string> haproxy_keys(const std::set<control::Endpoint>& endpoints) {
  std::set<std::string> keys;
  for (const control::Endpoint& endpoint : endpoints) {
    keys.insert(key_of(endpoint));
    keys.insert(key_of_port(endpoint));
  }
  return keys;
}

HaproxyCommands haproxy_map_commands(const std::string& map_id,
                                     const std::vector<HaproxyEntry>& entries,
                                     const std::set<std::string>& wanted, bool keep_others) {
  HaproxyCommands commands;
  Lines lines;
  const auto first = first_of_each_key(entries);
  for (const std::string& key : wanted) {
    const auto at = first.find(key);
    if (at == first.end())
      lines.add_entry(map_id, key + " " + std::string(haproxy_value));
    else if (at->second->value != haproxy_value)
      lines.add("set map #" + map_id + " #" + at->second->reference + " " +
                std::string(haproxy_value));
    else
      continue;
    ++commands.entries;
  }
  for (const HaproxyEntry& entry : entries) {
    const bool is_wanted = wanted.contains(entry.key);
    const bool is_first = first.at(entry.key) == &entry;
    const bool stays =
        entry.value != haproxy_value || (is_wanted && is_first) || (!is_wanted && keep_others);
    if (stays) continue;
    lines.add("del map #" + map_id + " #" + entry.reference);
    ++commands.entries;
  }
  commands.lines = lines.take();
  return commands;
}

std::set<control::Endpoint> haproxy_held(const std::vector<HaproxyEntry>& entries,
                                         const std::set<control::Endpoint>& endpoints) {
  const auto first = first_of_each_key(entries);
  const auto has = [&](const std::string& key) {
    const auto at = first.find(key);
    return at != first.end() && at->second->value == haproxy_value;
  };
  std::set<control::Endpoint> held;
  for (const control::Endpoint& endpoint : endpoints)
    if (has(key_of(endpoint)) && has(key_of_port(endpoint))) held.insert(endpoint);
  return held;
}

std::string haproxy_map_file(std::string_view before, const std::set<std::string>& wanted,
                             bool keep_others) {
  std::string others;
  std::set<std::string> ours = wanted;
  while (!before.empty()) {
    const std::string_view line = next_line(before);
    const std::string_view key = our_key(line);
    if (key.empty())
      others += std::string(line) + "\n";
    else if (keep_others)
      ours.emplace(key);
  }
  std::string text = std::move(others);
  for (const std::string& key : ours) text += key + " " + std::string(haproxy_value) + "\n";
  return text;
}

}  // namespace sidestream::edge
