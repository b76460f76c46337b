// What a sidecar has with one edge, from one process to the next.
#include <utility>

#include "sidecar/edge_link_io.h"
#include "streams/join_io.h"

namespace sidestream::sidecar {

// ---- the process that hands over ---------------------------------------------------------------

void EdgeLink::offer_handover(const std::string& prefix, control::NamedDescriptors& descriptors) {
  handover_link_ = control::offer_tunnel(tunnel_, network_.executor(), prefix, descriptors);
}

SidecarHandover::Link EdgeLink::freeze_handover() {
  tunnel_.pause();
  SidecarHandover::Link link;
  if (const auto peer = peer_status()) link.endpoint = peer->endpoint;
  link.edge_run = edge_run_;
  link.tunnel = control::describe_tunnel(tunnel_);
  return link;
}

void EdgeLink::call_off_handover() {
  if (handover_link_) tunnel_.resume();
  handover_link_.reset();
}

void EdgeLink::commit_handover() {
  tunnel_.hand_over(std::move(handover_link_), [this] { finish_wanted_ = true; });
  handed_over_ = true;
  handed_over_changed_.notify_all();
}

Task<> EdgeLink::wait_handed_over() {
  while (!handed_over_) co_await handed_over_changed_.wait();
}

void EdgeLink::publish_now() {
  publishing_held_ = false;
  publishing_released_.notify_all();
}

// ---- the process that takes over ---------------------------------------------------------------

void EdgeLink::take_over(const SidecarHandover::Link& before, const tunnel::PredecessorFacts& from,
                         const std::string& prefix, control::NamedDescriptors& descriptors) {
  control::adopt_streams(tunnel_, network_.executor(), before.tunnel, from, prefix, descriptors);
  edge_run_ = before.edge_run;
  // DNS is asked when nobody answers there.
  if (before.endpoint) path_.handle_resolved(network_.timers().now(), {*before.endpoint});
}

}  // namespace sidestream::sidecar
