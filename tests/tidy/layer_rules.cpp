#include "tests/tidy/layer_rules.h"

#include <algorithm>
#include <array>
#include <optional>

namespace sidestream::tidy {
namespace {

struct Layer {
  std::string_view folder;
  std::vector<std::string_view> may_include;
};

const std::vector<Layer>& layers() {
  static const std::vector<Layer> all = {
      {"streams", {"streams"}},
      {"tunnel", {"streams", "tunnel"}},
      {"control", {"streams", "tunnel", "control"}},
      {"tailnet", {"streams", "tunnel", "control", "tailnet"}},
      {"edge", {"streams", "tunnel", "control", "tailnet", "edge"}},
      {"sidecar", {"streams", "tunnel", "control", "tailnet", "sidecar"}},
      {"cli", {"streams", "tunnel", "control", "tailnet", "edge", "sidecar", "cli"}},
  };
  return all;
}

struct Door {
  std::string_view library;             // how its header names begin
  std::vector<std::string_view> files;  // `*` at the end or before the extension is a wildcard
};

const std::vector<Door>& doors() {
  static const std::vector<Door> all = {
      {"boost/asio", {"*_io.h", "*_io.cpp", "cli/main.cpp"}},
      {"boost/beast", {"*_io.h", "*_io.cpp"}},
      {"boost/json", {"control/*.cpp"}},
      {"yaml-cpp", {"streams/yaml_document.cpp"}},
      {"wireguard.h", {"tunnel/kernel_interface_io.cpp"}},
      {"spdlog", {"streams/log_io.cpp"}},
      {"openssl", {"streams/tls_*.cpp", "tunnel/crypto.cpp"}},
      {"sodium",
       {"streams/secret.cpp", "streams/base64.cpp", "streams/random_io.cpp", "tunnel/crypto.cpp"}},
  };
  return all;
}

// What a core may not include: the operating system and the parts of the standard library that
// reach it.
constexpr std::array<std::string_view, 22> world_headers = {"boost/asio", "boost/beast",
                                                            "sys/",       "netinet/",
                                                            "linux/",     "unistd.h",
                                                            "fcntl.h",    "netdb.h",
                                                            "poll.h",     "signal.h",
                                                            "fstream",    "iostream",
                                                            "filesystem", "thread",
                                                            "mutex",      "random",
                                                            "future",     "semaphore",
                                                            "latch",      "barrier",
                                                            "stop_token", "condition_variable"};

constexpr std::array<std::string_view, 9> world_calls = {
    "steady_clock::now", "system_clock::now", "high_resolution_clock", "getenv",    "std::time",
    "random_device",     "getrandom",         "randombytes_buf",       "RAND_bytes"};

// `pattern` has at most one `*`, which stands for any text.
bool matches(std::string_view path, std::string_view pattern) {
  const std::size_t star = pattern.find('*');
  if (star == std::string_view::npos) return path == pattern;
  const std::string_view head = pattern.substr(0, star);
  const std::string_view tail = pattern.substr(star + 1);
  return path.size() >= head.size() + tail.size() && path.starts_with(head) && path.ends_with(tail);
}

std::optional<std::string> own_header(const SourceTree& tree, const SourceFile& file) {
  if (file.extension() != ".cpp") return std::nullopt;
  std::string header = file.path().substr(0, file.path().size() - 4) + ".h";
  if (tree.find(header) == nullptr) return std::nullopt;
  return header;
}

}  // namespace

Findings check_layers(const SourceTree& tree) {
  Findings findings;
  for (const auto& [path, file] : tree.files()) {
    const auto layer = std::ranges::find(layers(), std::string_view(file.folder()), &Layer::folder);
    if (layer == layers().end()) continue;
    for (const Include& include : file.includes()) {
      if (!include.quoted) continue;
      const std::string target = include.path.substr(0, include.path.find('/'));
      if (std::ranges::find(layer->may_include, target) == layer->may_include.end())
        findings.push_back(finding(file, include.line,
                                   std::string(layer->folder) + "/ may not include " +
                                       include.path + " (docs/architecture.md: the layers)"));
    }
  }
  return findings;
}

Findings check_cores(const SourceTree& tree) {
  Findings findings;
  for (const auto& [path, file] : tree.files()) {
    if (!file.is_core()) continue;
    for (const Include& include : file.includes()) {
      const bool ours = include.quoted && include.path.ends_with("_io.h");
      const bool world = !include.quoted && std::ranges::any_of(world_headers, [&](auto header) {
        return header.ends_with('/') || header.starts_with("boost")
                   ? include.path.starts_with(header)
                   : include.path == header;
      });
      if (ours || world)
        findings.push_back(finding(file, include.line,
                                   "a core may not include " + include.path +
                                       "; name the file *_io or hand the value in"));
    }
    for (std::size_t i = 0; i < file.code().size(); ++i)
      for (const std::string_view call : world_calls)
        if (contains_word(file.code()[i], call))
          findings.push_back(finding(file, i + 1,
                                     "a core may not call " + std::string(call) +
                                         "; time, randomness and settings are arguments"));
  }
  return findings;
}

Findings check_doors(const SourceTree& tree) {
  Findings findings;
  for (const auto& [path, file] : tree.files()) {
    if (!file.is_product()) continue;
    for (const Include& include : file.includes()) {
      if (include.quoted) continue;
      for (const Door& door : doors()) {
        if (!include.path.starts_with(door.library)) continue;
        const bool open = std::ranges::any_of(
            door.files, [&](std::string_view pattern) { return matches(file.path(), pattern); });
        if (!open)
          findings.push_back(
              finding(file, include.line,
                      include.path + ": this file is not a door of " + std::string(door.library)));
      }
    }
  }
  return findings;
}

Findings check_headers(const SourceTree& tree) {
  Findings findings;
  for (const auto& [path, file] : tree.files()) {
    if (!file.is_cpp()) continue;
    if (file.extension() == ".h" && file.text().find("#pragma once\n") == std::string::npos)
      findings.push_back(finding(file, 0, "a header begins with its contract and #pragma once"));
    const auto header = own_header(tree, file);
    if (header && (file.includes().empty() || file.includes().front().path != *header))
      findings.push_back(finding(file, 0, "includes its own header first: " + *header));
  }
  return findings;
}

}  // namespace sidestream::tidy
