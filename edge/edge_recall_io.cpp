// Where the sidecars were when the edge was started, and calling them.
#include <algorithm>
#include <utility>

#include "edge/edge_io.h"

namespace sidestream::edge {

void Edge::recall_sidecars() {
  if (state_ == nullptr) return;
  const auto kept = state_->read(endpoints_file);
  if (kept && !*kept) return;
  const auto loaded = kept ? endpoints_.load(**kept) : std::unexpected(kept.error());
  if (!loaded) {
    log_.warn("not known where the sidecars were", {{"why", loaded.error()}});
    return;
  }
  endpoints_kept_ = endpoints_;
  for (const auto& [name, peer] : peers_) {
    const auto endpoint = endpoints_.find(name);
    if (endpoint) tunnel_.set_endpoint(peer, endpoint->remote, endpoint->local);
  }
}

// The sidecars do not know that this edge is a new one until they miss the old one. A handshake
// from our side tells them at once; a few more, in case that is lost.
Task<> Edge::call_sidecars() {
  constexpr int calls = 4;
  constexpr Duration pause = tunnel::impatient_rekey_timeout;
  for (int call = 0; call < calls; ++call) {
    for (const auto& [name, peer] : peers_) {
      const auto status = tunnel_.peer_status(peer);
      if (status && status->endpoint && !status->last_handshake)
        tunnel_.start_handshake(peer, true);
    }
    co_await network_.timers().sleep_for(pause);
  }
}

void Edge::handle_tunnel_event(const tunnel::DeviceEvent& event) {
  using Kind = tunnel::DeviceEvent::Kind;
  if (event.kind != Kind::handshake_completed && event.kind != Kind::endpoint_changed) return;
  const auto peer =
      std::ranges::find(peers_, event.peer, [](const auto& entry) { return entry.second; });
  const auto status = tunnel_.peer_status(event.peer);
  if (peer == peers_.end() || !status || !status->endpoint) return;
  endpoints_.set(peer->first, {*status->endpoint, tunnel_.local_address(event.peer)});
  if (endpoints_ != endpoints_kept_) endpoints_changed_.notify_all();
}

Task<> Edge::keep_endpoints() {
  constexpr Duration pause = 10s;
  for (;;) {
    while (endpoints_ == endpoints_kept_) co_await endpoints_changed_.wait();
    write_endpoints();
    co_await network_.timers().sleep_for(pause);
  }
}

void Edge::write_endpoints() {
  if (state_ == nullptr || handed_over_ || endpoints_ == endpoints_kept_) return;
  // Once: a full disk is told about, and not again in ten seconds.
  endpoints_kept_ = endpoints_;
  if (const auto kept = state_->write(endpoints_file, endpoints_.serialize()); !kept)
    log_.warn("not kept where the sidecars are", {{"why", kept.error()}});
}

}  // namespace sidestream::edge
