// Answers a PostgreSQL client that asks for TLS, where TLS or its server name is what matters.
#pragma once

#include <cstdint>
#include <vector>

#include "streams/postgres_opening.h"
#include "streams/stream_io.h"

namespace sidestream {

struct PostgresGreeting {
  enum class Kind : std::uint8_t {
    none,         // it began with something else, or ended; `bytes` is what was read
    tls_follows,  // it asked for TLS and was told to go ahead; `bytes` is empty
    premature,    // it did not wait for an answer: nothing of this stream can be believed
  };
  Kind kind = Kind::none;
  std::vector<std::uint8_t> bytes{};  // that are still to be looked at
};

// Reads until it is clear; for everything but PostgreSQL that is the first read. It has no limit of
// its own; `stream` outlives the call.
Task<PostgresGreeting> greet_postgres(Stream& stream);

// The answer of a server that was sent postgres_ssl_request. Throws protocol_error unless it is
// willing; until then nothing else may be written to it.
Task<> read_postgres_answer(Stream& server);

}  // namespace sidestream
