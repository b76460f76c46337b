// The one map by which HAProxy knows what leads home, as keys and as commands of its Runtime API.
//
// Key to value, where the value is always `sidestream`:
//   NAME:PORT, *.NAME:PORT, :PORT   an endpoint, with its port in any case
//   PORT                            something is published on that port
// An entry with that value is ours, and so is one whose key we want. All others are somebody else's
// and stay.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "control/endpoint.h"
#include "edge/routers/haproxy_answers.h"

namespace sidestream::edge {

inline constexpr std::string_view haproxy_value = "sidestream";
// Of one line to the Runtime API, which takes a buffer of HAProxy at most (tune.bufsize, 16384 by
// default).
inline constexpr std::size_t haproxy_command_bytes_max = 4096;

[[nodiscard]] std::set<std::string> haproxy_keys(const std::set<control::Endpoint>& endpoints);

struct HaproxyCommands {
  std::vector<std::string> lines;  // each may be several commands; with its end
  std::size_t entries = 0;         // that they make, change or remove
};
// Brings a map that has `entries` in step. HAProxy keeps several entries of one key, of which the
// first one counts, and its versions differ in how many of them `del map KEY` removes; so nothing
// is added blindly, and what goes is named by its reference.
[[nodiscard]] HaproxyCommands haproxy_map_commands(const std::string& map_id,
                                                   const std::vector<HaproxyEntry>& entries,
                                                   const std::set<std::string>& wanted,
                                                   bool keep_others);

// Those endpoints whose keys the map has, with our value.
[[nodiscard]] std::set<control::Endpoint> haproxy_held(
    const std::vector<HaproxyEntry>& entries, const std::set<control::Endpoint>& endpoints);

// The map's file, from which HAProxy begins, in step. Lines that are not ours stay as they are.
[[nodiscard]] std::string haproxy_map_file(std::string_view before,
                                           const std::set<std::string>& wanted, bool keep_others);

}  // namespace sidestream::edge
