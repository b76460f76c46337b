// What became of one stream that an edge sent: the sidecar's log line at its end, and what is
// counted.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "streams/ip_address.h"
#include "streams/relay_traffic.h"
#include "streams/time.h"

namespace sidestream::sidecar {

enum class ServedEnd : std::uint8_t {
  finished,      // both directions ended in order
  client_broke,  // on the way from the client to us
  backend_broke,
  idle,
  stopped,  // the sidecar, or the edge is no longer its edge
  backend_not_reached,
  shed,       // memory is scarce, and it was among the newest
  looked_at,  // by an authority, at what proves that the name leads here
  cut,        // the client was banned meanwhile
  banned,     // before it came
  denied,     // by the rules of the service
  // Refused by its limits.
  too_many,
  too_many_of_client,
  too_fast,
  // Refused by TLS, where it ends here: no handshake, or no certificate that is wanted.
  tls_failed,
};
inline constexpr std::size_t served_end_count = 15;
// A few words in plain English.
[[nodiscard]] std::string_view text_of(ServedEnd end);
// The label in metrics.
[[nodiscard]] std::string_view counter_of(ServedEnd end);
[[nodiscard]] constexpr bool is_refusal(ServedEnd end) {
  return end >= ServedEnd::banned;
}

struct ServedStream {
  std::string service;
  SocketAddress client;
  std::string endpoint;     // by which it came
  std::string backend;      // that it went to, or that was tried last; empty: none was
  bool of_several = false;  // the service has more than one
  std::uint64_t client_to_backend_bytes = 0;
  std::uint64_t backend_to_client_bytes = 0;
  Duration duration{};
  ServedEnd end = ServedEnd::finished;
  std::string error;  // of the system; may be empty
  // When TLS ended here, and who the client was by its certificate.
  std::string tls_version;
  std::string client_certificate;

  // For a person: how it ended.
  [[nodiscard]] std::string end_text() const;
};

// Of one service, since it began.
struct ServedCounters {
  std::uint64_t streams_in_all = 0;
  std::array<std::uint64_t, served_end_count> ended{};  // by ServedEnd
  RelayTraffic bytes;                                   // left is the client

  void add(const ServedCounters& other);
};

}  // namespace sidestream::sidecar
