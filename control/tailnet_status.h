// What a program tells of the tailnet of its machine, as a part of its status document.
#pragma once

#include <string>
#include <vector>

#include "control/json_fields.h"

namespace sidestream::control {

struct TailnetStatus {
  std::string socket;   // of the daemon
  std::string state;    // as the daemon calls it: `Running`, `NeedsLogin`, …; `Unknown`
  std::string problem;  // why the node cannot be used; empty: it can
  std::string version;  // of the daemon
  std::string name;     // of the node, in the tailnet's DNS
  std::vector<std::string> addresses;
  bool userspace = false;             // no interface: the tailnet reaches this machine's loopback
  std::string key_expiry;             // `2026-11-21 15:04 UTC`; empty: never
  std::vector<std::string> warnings;  // of the daemon's health
  bool operator==(const TailnetStatus&) const = default;
};

[[nodiscard]] Json json_of(const TailnetStatus& tailnet);
[[nodiscard]] TailnetStatus read_tailnet_status(JsonFields fields);

}  // namespace sidestream::control
