#include "edge/control_server_io.h"

#include <utility>

#include "streams/join_io.h"

namespace sidestream::edge {

ControlServer::ControlServer(Network& network, tunnel::Tunnel& tunnel, LeaseTable& table,
                             Identify identify, const ControlServerLimits& limits)
    : network_(network),
      table_(table),
      identify_(std::move(identify)),
      service_(table, limits.service),
      listener_(tunnel.listen(control::control_port)),
      server_(network.executor(), network.timers(), *listener_, *this, limits.http) {}

Task<> ControlServer::run() {
  co_await both(server_.run(), end_leases());
}

Task<control::HttpResponse> ControlServer::respond(control::HttpRequest request,
                                                   SocketAddress client) {
  const std::optional<SidecarIdentity> identity = identify_(client);
  if (!identity) co_return ControlService::refuse(control::Refusal::unknown_sidecar);
  if (identity->revoked) co_return ControlService::refuse(control::Refusal::revoked);
  control::HttpResponse response =
      service_.respond(network_.timers().now(), identity->name, request);
  lease_given_.notify_all();
  if (on_change_) on_change_();
  if (settle_ && request.target == control::state_target && response.status == 200) {
    co_await settle_();
    response = service_.respond_again(identity->name);
  }
  co_return response;
}

Task<> ControlServer::end_leases() {
  for (;;) {
    const std::optional<Instant> deadline = table_.next_deadline();
    if (!deadline) {
      co_await lease_given_.wait();
      continue;
    }
    // Renewing moves deadlines back only, and a new lease never ends before an older one.
    co_await network_.timers().sleep_until(*deadline);
    table_.handle_timeout(network_.timers().now());
    if (on_change_) on_change_();
  }
}

}  // namespace sidestream::edge
