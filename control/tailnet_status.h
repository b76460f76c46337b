// What a program tells of the tailnet of its machine, as a part of its status document.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "control/json_fields.h"
#include "streams/time.h"

namespace sidestream::control {

// How packets reach a node of the tailnet that we have to do with.
struct TailnetPathStatus {
  std::string peer;      // its address
  std::string endpoint;  // UDP address, when the path is direct
  std::string relay;     // else the relay
  std::string problem;   // why there is none of both; empty: there is
  std::optional<Duration> round_trip;
  bool operator==(const TailnetPathStatus&) const = default;
};

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
  std::vector<TailnetPathStatus> paths{};
  bool operator==(const TailnetStatus&) const = default;
};

[[nodiscard]] Json json_of(const std::optional<TailnetStatus>& tailnet);  // none: null
[[nodiscard]] TailnetStatus read_tailnet_status(JsonFields fields);

}  // namespace sidestream::control
