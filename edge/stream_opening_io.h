// What a client says before the edge knows where its stream goes.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string_view>
#include <vector>

#include "edge/stream_record.h"
#include "streams/client_hello.h"
#include "streams/stream_io.h"
#include "streams/timer_io.h"
#include "streams/tls_alert.h"

namespace sidestream::edge {

struct OpeningLimits {
  ClientHelloLimits hello{};
  // From accept to the last byte of the ClientHello, however busy the client seems.
  Duration hello_time{5s};
  // On a port that has names and a default, a client that says nothing for so long waits for the
  // server to speak first, and goes to the default. Long enough for a ClientHello whose first
  // segment was lost on a path of 300 ms (three round trips, RFC 6298), short enough to be borne
  // at an SSH prompt.
  Duration silence_on_mixed_port{1s};
};

struct Opening {
  std::vector<std::uint8_t> bytes;  // all that was read; belongs to the backend
  // PostgreSQL's request for TLS came before that and was answered: the backend is to be asked too.
  bool postgres = false;
  bool tls = false;
  bool for_challenge = false;  // as it says
  std::optional<ServerName> name;
};

// Why a stream goes nowhere, and what a TLS client is told.
struct Refusal {
  StreamEnd end;
  std::optional<TlsAlert> alert{};
  std::string_view why{};
};

// Reads a ClientHello. With `has_default`, on a port where streams without a name have a place to
// go, a client may also stay silent, end its direction at once, or speak something else than TLS.
// What began as a ClientHello and is none is refused there too: it never goes to the default. Who
// asks for TLS as PostgreSQL's clients do is told to go ahead, and has to.
//
// Throws what breaks the stream, and operation_aborted when cancelled. After a refusal or an
// exception the stream is good for a last write at most; `stream` and `timers` outlive the call.
Task<std::expected<Opening, Refusal>> read_opening(Timers& timers, Stream& stream, Instant accepted,
                                                   bool has_default, OpeningLimits limits);

}  // namespace sidestream::edge
