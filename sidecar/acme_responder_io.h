// Answers http-01 (RFC 8555 section 8.3): a small HTTP server on loopback, which the sidecar
// publishes on port 80 of its edges. Everything but challenges it sends to HTTPS.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "control/http_server_io.h"
#include "sidecar/acme_order_dialogue.h"
#include "sidecar/backend_address.h"
#include "streams/network_io.h"

namespace sidestream::sidecar {

class AcmeResponder final : public control::HttpService {
 public:
  // `network` outlives it. Throws system_error when it cannot listen.
  explicit AcmeResponder(Network& network);

  // Until it is cancelled.
  Task<> run() { return server_.run(); }
  [[nodiscard]] BackendAddress address() const;

  void show(const std::vector<AcmeChallenge>& challenges);
  void hide(const std::vector<AcmeChallenge>& challenges);

  Task<control::HttpResponse> respond(control::HttpRequest request, SocketAddress client) override;

 private:
  std::unique_ptr<Listener> listener_;
  control::HttpServer server_;
  std::map<std::string, std::string, std::less<>> answers_;  // by token
};

}  // namespace sidestream::sidecar
