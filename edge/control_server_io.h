// The control protocol's server on the edge: listens inside the tunnel, asks who speaks, lets the
// lease table answer, and ends leases when they are over.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "control/http_server_io.h"
#include "edge/control_service.h"
#include "edge/lease_table.h"
#include "streams/event_io.h"
#include "streams/network_io.h"
#include "tunnel/tunnel_io.h"

namespace sidestream::edge {

struct SidecarIdentity {
  std::string name;      // as the lease table knows it
  bool revoked = false;  // it is told so, and nothing else
};

struct ControlServerLimits {
  control::HttpServerLimits http;
  ControlServiceLimits service;
};

class ControlServer final : private control::HttpService {
 public:
  // Whose tunnel address this is; none for a stranger.
  using Identify = std::function<std::optional<SidecarIdentity>(const SocketAddress&)>;

  // Listens at once; throws address_in_use. `network`, `tunnel` and `table` outlive it.
  ControlServer(Network& network, tunnel::Tunnel& tunnel, LeaseTable& table, Identify identify,
                const ControlServerLimits& limits = {});

  // Called, outside of the table, when a message or the end of a lease may have changed the routes
  // or left events. Set before run().
  // Ports that the callback opens for a state are open before that is answered.
  void on_change(std::function<void()> callback) {
    on_change_ = std::move(callback);
    service_.on_state(on_change_);
  }

  // Waited for, for a moment, before a state that was accepted is answered, so that the answer can
  // be `granted` where another program is told of it. Set before run().
  void on_settle(std::function<Task<>()> settle) { settle_ = std::move(settle); }

  // Serves until it is cancelled.
  Task<> run();

  // After a sidecar was revoked.
  void forget(const std::string& sidecar) { service_.forget(sidecar); }

  // Control messages that were refused, and requests that were none.
  [[nodiscard]] std::uint64_t refused() const { return service_.refused() + server_.rejected(); }

 private:
  Task<control::HttpResponse> respond(control::HttpRequest request, SocketAddress client) override;
  Task<> end_leases();

  Network& network_;
  LeaseTable& table_;
  Identify identify_;
  std::function<void()> on_change_;
  std::function<Task<>()> settle_;
  ControlService service_;
  std::unique_ptr<Listener> listener_;
  Event lease_given_;
  control::HttpServer server_;
};

}  // namespace sidestream::edge
