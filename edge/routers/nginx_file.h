// The file that NGINX includes into its `stream` section (ngx_stream_map_module): maps from what is
// known of a stream to where it goes. docs/edges/nginx.md has the servers that use them:
//
//   $sidestream_by_name    by server name and port; by the rest of the port; empty: not ours
//   $sidestream_by_port    something is published on this port, and the port is ours alone
//   $sidestream_generation which file a running NGINX has loaded
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "control/endpoint.h"

namespace sidestream::edge {

struct NginxFile {
  std::set<control::Endpoint> endpoints = {};
  std::string target = {};      // where all of them go: `127.0.0.1:5150`, `unix:/PATH`
  std::string generation = {};  // letters and digits

  [[nodiscard]] std::string text() const;
  // What text() has written. nullopt: it was not written by us, or changed since.
  static std::optional<NginxFile> parse(std::string_view text);

  bool operator==(const NginxFile&) const = default;
};

}  // namespace sidestream::edge
