// What a lease table knows that its sidecars rely on, so that another process of the same edge can
// go on with it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "control/control_messages.h"
#include "edge/session_order.h"
#include "streams/time.h"

namespace sidestream::edge {

struct LeaseSuccession {
  struct Session {
    std::uint64_t number = 0;
    std::string version;
    std::string instance;
    std::string run;
    bool operator==(const Session&) const = default;
  };
  struct Sidecar {
    std::string name;
    SessionOrder::Place place;
    Session opened;
    Session current;
    std::optional<Instant> last_heartbeat;
    std::vector<control::WantedEndpoint> wanted;
    std::vector<control::Ban> bans{};
    bool operator==(const Sidecar&) const = default;
  };
  std::uint64_t epoch = 0;
  std::uint64_t last_session = 0;
  std::uint64_t last_revision = 0;
  std::vector<Sidecar> sidecars;
  bool operator==(const LeaseSuccession&) const = default;
};

}  // namespace sidestream::edge
