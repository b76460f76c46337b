#include "edge/unreached_targets.h"

#include <algorithm>
#include <utility>

namespace sidestream::edge {

void UnreachedTargets::on_failed(Instant now, const SocketAddress& target) {
  std::erase_if(failed_, [now](const auto& one) { return now >= one.second + set_aside; });
  failed_[target] = now;
}

std::vector<RouteTarget> UnreachedTargets::ordered(Instant now,
                                                   std::vector<RouteTarget> targets) const {
  std::ranges::stable_partition(targets, [&](const RouteTarget& target) {
    const auto found = failed_.find(target.tunnel_address);
    return found == failed_.end() || now >= found->second + set_aside;
  });
  return targets;
}

}  // namespace sidestream::edge
