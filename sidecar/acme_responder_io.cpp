#include "sidecar/acme_responder_io.h"

#include <utility>

#include "streams/server_name.h"

namespace sidestream::sidecar {
namespace {

constexpr std::string_view challenges_path = "/.well-known/acme-challenge/";

// Strangers of the whole world ask here, and all of them come from loopback.
control::HttpServerLimits limits() {
  control::HttpServerLimits limits;
  limits.message.body_bytes_max = 1024;
  limits.connections_max = 256;
  limits.connections_per_address = limits.connections_max;
  limits.oldest_makes_room = true;
  limits.idle_timeout = 5s;
  return limits;
}

}  // namespace

AcmeResponder::AcmeResponder(Network& network)
    : listener_(network.listen({IpAddress::v4({127, 0, 0, 1}), 0}, {})),
      server_(network.executor(), network.timers(), *listener_, *this, limits()) {}

BackendAddress AcmeResponder::address() const {
  const SocketAddress local = listener_->local_address();
  return {.host_port = {local.address.text(), local.port}};
}

void AcmeResponder::show(const std::vector<AcmeChallenge>& challenges) {
  for (const AcmeChallenge& one : challenges) answers_[one.token] = one.key_authorization;
}

void AcmeResponder::hide(const std::vector<AcmeChallenge>& challenges) {
  for (const AcmeChallenge& one : challenges) answers_.erase(one.token);
}

Task<control::HttpResponse> AcmeResponder::respond(control::HttpRequest request, SocketAddress) {
  control::HttpResponse response;
  response.keep_alive = false;
  const std::string_view target = request.target;
  const auto answer = target.starts_with(challenges_path)
                          ? answers_.find(target.substr(challenges_path.size()))
                          : answers_.end();
  const std::string* host = control::find_field(request.fields, "host");
  if (answer != answers_.end()) {
    response.fields.push_back({"content-type", "application/octet-stream"});
    response.body = answer->second;
  } else if (host != nullptr && ServerName::parse(*host) && !target.starts_with(challenges_path)) {
    response.status = 308;
    response.fields.push_back({"location", "https://" + *host + request.target});
  } else {
    response.status = 404;
  }
  co_return response;
}

}  // namespace sidestream::sidecar
