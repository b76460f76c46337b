// Another configuration for an edge that runs.
#include <algorithm>
#include <utility>

#include "edge/edge_io.h"

namespace sidestream::edge {
namespace {

bool is_same_peer(const EnrolledSidecar& one, const EnrolledSidecar& other) {
  return one.public_key == other.public_key && one.preshared_key == other.preshared_key &&
         one.address == other.address;
}

}  // namespace

void Edge::reload(EdgeSettings settings, SidecarRegistry registry) {
  settings_.tickets.endpoints = std::move(settings.tickets.endpoints);
  settings_.drain_time = settings.drain_time;
  settings_.public_ports = std::move(settings.public_ports);
  settings_.router = settings.router;
  router_.set_limits(settings_.router);
  leases_.set_honours_bans(settings.honours_bans);

  const SidecarRegistry before = std::exchange(registry_, std::move(registry));
  std::vector<std::string> gone;
  for (const EnrolledSidecar& old : before.sidecars()) {
    const EnrolledSidecar* now = registry_.find(old.name);
    if (now == nullptr || !is_same_peer(*now, old)) gone.push_back(old.name);
  }
  // First no route, then no stream, then no tunnel.
  leases_.set_public_ports(settings_.public_ports);
  tell_lease_table();
  for (const std::string& name : gone) {
    const std::size_t streams = cut_streams(name, before.find(name)->address);
    const tunnel::PublicKey& key = before.find(name)->public_key;
    const bool is_told = std::ranges::find(registry_.revoked(), key, &RevokedSidecar::public_key) !=
                         registry_.revoked().end();
    if (is_told)
      retire_peer(name, key);
    else
      forget_peer(name);
    log_.info("sidecar no longer as it was",
              {{"sidecar", name}, {"streams_cut", std::uint64_t{streams}}});
  }
  renew_revoked_peers();  // before one of them is enrolled again
  for (const EnrolledSidecar& sidecar : registry_.sidecars())
    if (!peers_.contains(sidecar.name)) enrol(sidecar);
  accepting_->set_public_ports(settings_.public_ports);
  keep_configured();
}

void Edge::forget_peer(std::string_view name) {
  control_.forget(std::string(name));
  router_.forget_traffic_of(name);
  const auto peer = peers_.find(name);
  if (peer == peers_.end()) return;
  tunnel_.remove_peer(peer->second);
  peers_.erase(peer);
  endpoints_.forget(name);
  write_endpoints();
}

bool Edge::is_public(std::uint16_t port) const {
  return std::ranges::any_of(settings_.public_ports, [port](const PortRange& range) {
    return range.low <= port && port <= range.high;
  });
}

}  // namespace sidestream::edge
