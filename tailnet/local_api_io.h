// The Tailscale daemon at its socket: one request at a time each on a connection of its own, which
// is what survives the daemon's restarts.
#pragma once

#include <array>
#include <expected>
#include <memory>
#include <string>
#include <vector>

#include "control/http_client_io.h"
#include "streams/asio_io.h"
#include "streams/network_io.h"
#include "tailnet/local_api_messages.h"

namespace sidestream::tailnet {

struct LocalApiTiming {
  Duration connect = 2s;
  // For one answer: a daemon that starts lets everybody wait until it has.
  Duration answer = 10s;
  // For a certificate, which an authority has to make.
  Duration certificate = 2min;
  // Whom the daemon has dialled us for it knows a moment after it has (TS-08).
  std::array<Duration, 6> whois_again{5ms, 20ms, 50ms, 100ms, 200ms, 400ms};
};

class LocalApi {
 public:
  // `network` outlives it. The first of `places` where somebody accepts is the daemon's.
  LocalApi(Network& network, std::vector<std::string> places, const LocalApiTiming& timing = {});

  // Throws no_such_file_or_directory when there is no socket at all, what connecting failed with
  // when there is one, timed_out, and what control::fetch throws.
  Task<std::unique_ptr<Stream>> connect();
  // The answer, whatever its code is.
  Task<control::HttpResponse> ask(control::HttpRequest request);
  Task<control::HttpResponse> ask(control::HttpRequest request, Duration timeout);

  // Who a stream comes from, by its remote address: asked as long as the stream lives, since the
  // daemon forgets then. The error is a sentence: nobody, or the daemon could not be asked. Throws
  // for nothing but cancelling.
  Task<std::expected<Identity, std::string>> who_is(SocketAddress remote);
  // How packets reach a peer now. The error is a sentence. Throws as above.
  Task<std::expected<PeerPath, std::string>> ping(IpAddress peer);

  // Where it was found last; the likeliest place before that.
  [[nodiscard]] const std::string& socket() const { return socket_; }

 private:
  Task<control::HttpResponse> ask_whois(SocketAddress remote);

  Network& network_;
  const std::vector<std::string> places_;
  const LocalApiTiming timing_;
  std::string socket_;
};

// Whether that is what connect() throws when there is no socket.
[[nodiscard]] bool is_absence(const error_code& error);

}  // namespace sidestream::tailnet
