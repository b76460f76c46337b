// Which targets could not be reached a moment ago, so that streams try others first and do not
// wait, one after the other, for a sidecar that has vanished and still has its lease.
#pragma once

#include <map>
#include <vector>

#include "edge/route_table.h"
#include "streams/time.h"

namespace sidestream::edge {

class UnreachedTargets {
 public:
  // Nearly a lease, after which a sidecar that is gone has no target any more.
  static constexpr Duration set_aside = 5s;

  void on_failed(Instant now, const SocketAddress& target);
  void on_reached(const SocketAddress& target) { failed_.erase(target); }
  // Those that failed come last, whatever their priority; otherwise the order stays.
  [[nodiscard]] std::vector<RouteTarget> ordered(Instant now,
                                                 std::vector<RouteTarget> targets) const;

 private:
  std::map<SocketAddress, Instant> failed_;  // when; those of long ago go at the next failure
};

}  // namespace sidestream::edge
