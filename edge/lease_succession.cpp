#include "edge/lease_succession.h"

#include "edge/lease_table.h"

namespace sidestream::edge {

LeaseSuccession LeaseTable::succession() const {
  LeaseSuccession all;
  all.epoch = epoch_;
  all.last_session = last_session_;
  all.last_revision = last_revision_;
  for (const auto& [name, sidecar] : sidecars_) {
    LeaseSuccession::Sidecar one;
    one.name = name;
    one.place = sidecar.order.place();
    one.opened = sidecar.opened;
    one.current = sidecar.current;
    one.last_heartbeat = sidecar.last_heartbeat;
    for (const Lease& lease : sidecar.leases) one.wanted.push_back(lease.wanted);
    one.bans = sidecar.bans.bans();
    all.sidecars.push_back(std::move(one));
  }
  return all;
}

void LeaseTable::continue_from(Instant now, const LeaseSuccession& before) {
  epoch_ = before.epoch;
  last_session_ = before.last_session;
  last_revision_ = before.last_revision;
  for (const LeaseSuccession::Sidecar& one : before.sidecars) {
    const auto known = sidecars_.find(one.name);
    if (known == sidecars_.end()) continue;
    Sidecar& sidecar = known->second;
    sidecar.order.go_on_at(one.place);
    sidecar.opened = one.opened;
    sidecar.current = one.current;
    sidecar.last_heartbeat = one.last_heartbeat;
    if (!one.place.active) continue;
    replace_leases(sidecar, judge(sidecar, one.wanted));
    for (const control::Ban& ban : one.bans)
      if (now < ban.until) sidecar.bans.ban(now, ban.network, ban.until - now);
    set_lease_end(sidecar, now + limits_.lease);
    renew_answers(sidecar);
  }
}

}  // namespace sidestream::edge
