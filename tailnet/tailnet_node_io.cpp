#include "tailnet/tailnet_node_io.h"

#include <utility>

#include "streams/join_io.h"
#include "tailnet/tailnet_addresses.h"

namespace sidestream::tailnet {

TailnetNode::TailnetNode(Network& network, std::vector<std::string> sockets,
                         const std::vector<IpAddress>& peers, const Log& log)
    : network_(network),
      log_(log),
      api_(network, std::move(sockets)),
      watch_(network, api_, [this] { handle_change(); }),
      told_(watch_.standing().problem()) {
  for (const IpAddress& peer : peers)
    if (is_tailnet_range(peer)) {
      paths_.emplace_back();
      paths_.back().peer = peer.text();
    }
}

Task<> TailnetNode::run() {
  if (paths_.empty()) return watch_.run();
  return both(watch_.run(), look_at_paths());
}

control::TailnetStatus TailnetNode::document() const {
  control::TailnetStatus document = standing().document(api_.socket());
  document.paths = paths_;
  return document;
}

// A node that is asked while it is not in its tailnet would only wait.
Task<> TailnetNode::look_at_paths() {
  for (;;) {
    while (!standing().ready()) co_await changed_.wait();
    for (control::TailnetPathStatus& path : paths_) {
      const auto now = co_await api_.ping(*IpAddress::parse(path.peer));
      handle_path(path, now);
    }
    co_await network_.timers().sleep_for(look_at_paths_every);
  }
}

void TailnetNode::handle_path(control::TailnetPathStatus& path,
                              const std::expected<PeerPath, std::string>& now) {
  const control::TailnetPathStatus before = path;
  path = {};
  path.peer = before.peer;
  if (now) {
    path.endpoint = now->endpoint;
    path.relay = now->is_direct() ? "" : now->relay;
    path.round_trip = now->round_trip;
  } else {
    path.problem = now.error();
  }
  if (path.relay != before.relay && !path.relay.empty())
    log_.warn("tailnet path is relayed, which is slow",
              {{"peer", path.peer}, {"relay", path.relay}});
  if (path.endpoint != before.endpoint && !path.endpoint.empty())
    log_.info("tailnet path is direct", {{"peer", path.peer}, {"endpoint", path.endpoint}});
}

void TailnetNode::handle_change() {
  changed_.notify_all();
  const control::TailnetStatus now = document();
  if (now.problem != told_ || now.addresses != addresses_told_) {
    if (now.problem.empty())
      log_.info("tailnet ready", {{"node", now.name},
                                  {"address", now.addresses.front()},
                                  {"tailscale", now.version},
                                  {"userspace", now.userspace ? "yes" : "no"}});
    else if (now.problem != told_)
      log_.warn("tailnet not ready", {{"why", now.problem}});
    told_ = now.problem;
    addresses_told_ = now.addresses;
  }
  if (const auto warning = watch_.standing().poll_key_warning(network_.timers().wall_now()))
    log_.warn("tailnet needs care", {{"why", *warning}});
}

void add_tailnet_metrics(control::MetricsPage& page, const TailnetNode* node) {
  page.gauge("sidestream_tailnet_ready", "1 while the Tailscale node of this machine can be used.");
  if (node != nullptr) page.add(node->standing().ready());
  page.gauge("sidestream_tailnet_state", "1 for the state that the Tailscale daemon is in.");
  for (std::size_t i = 0; node != nullptr && i < backend_state_count; ++i) {
    const auto state = static_cast<BackendState>(i);
    page.add(node->standing().state() == state, {{"state", text_of(state)}});
  }
  page.gauge("sidestream_tailnet_warnings", "Warnings of the Tailscale daemon's health.");
  if (node != nullptr) page.add(std::uint64_t{node->standing().warnings().size()});
  page.gauge("sidestream_tailnet_path_direct",
             "1 while packets reach that node of the tailnet without a relay.");
  if (node != nullptr)
    for (const control::TailnetPathStatus& path : node->paths())
      page.add(!path.endpoint.empty(), {{"peer", path.peer}});
  page.gauge("sidestream_tailnet_path_round_trip_seconds", "Round trip to that node.");
  if (node != nullptr)
    for (const control::TailnetPathStatus& path : node->paths())
      if (path.round_trip)
        page.add(std::chrono::duration<double>(*path.round_trip).count(), {{"peer", path.peer}});
  page.gauge("sidestream_tailnet_key_expiry_timestamp_seconds",
             "When the key of the Tailscale node expires, where it does.");
  if (node != nullptr && node->standing().status().self.key_expiry)
    page.add(
        std::chrono::duration<double>(node->standing().status().self.key_expiry->time_since_epoch())
            .count());
}

}  // namespace sidestream::tailnet
