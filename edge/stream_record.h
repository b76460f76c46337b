// What there is to tell about a stream when it has ended: the edge's one log line for it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "control/endpoint.h"
#include "streams/ip_address.h"
#include "streams/log_line.h"
#include "streams/server_name.h"
#include "streams/time.h"

namespace sidestream::edge {

enum class StreamEnd : std::uint8_t {
  // Routed.
  finished,       // both directions ended in order
  client_broke,   // reset, timeout or keepalive on the client's side
  sidecar_broke,  // the same on the tunnel's side
  idle,           // nothing was said for as long as the limits allow, if they do
  cut,            // the sidecar was revoked
  edge_stopped,
  shed,  // memory is scarce, and it was among the newest
  // Refused, no byte of the client went anywhere.
  client_left,  // before its route was known
  hello_late,
  hello_malformed,
  hello_too_large,
  not_tls,       // on a port where only names are published
  no_such_name,  // TLS, and nobody has published that name or the port itself
  sidecar_unreachable,
  too_many_streams,
  too_many_of_client,
  given_up,   // in favour of newer streams: too many without a ClientHello
  no_memory,  // for another stream
  banned,     // by the sidecar that it would have gone to
};
inline constexpr std::size_t stream_end_count = 19;
// A few words in plain English.
[[nodiscard]] std::string_view text_of(StreamEnd end);
// The name of the counter in status and metrics.
[[nodiscard]] std::string_view counter_of(StreamEnd end);
[[nodiscard]] constexpr bool is_refusal(StreamEnd end) {
  return end >= StreamEnd::client_left;
}

struct StreamRecord {
  SocketAddress client;
  std::uint16_t port = 0;  // of the edge
  // As the client sent it, normalised.
  std::optional<ServerName> server_name;
  // The route that was taken.
  std::optional<control::Endpoint> endpoint;
  std::string sidecar;
  std::string service;
  std::uint64_t bytes_from_client = 0;
  std::uint64_t bytes_to_client = 0;
  Duration duration{0};
  StreamEnd end = StreamEnd::finished;
  std::string_view why;  // of a literal; may be empty
  std::string error;     // of the system; may be empty
  // Refusals that were not told since the last record of one (refusal_allowance.h).
  std::uint64_t untold_refusals = 0;

  // The event of the log line, and its facts, whose views live as long as the call of `write`.
  [[nodiscard]] std::string_view event() const;
  void tell(const std::function<void(std::span<const LogField>)>& write) const;
};

}  // namespace sidestream::edge
