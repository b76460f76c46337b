#include "edge/stream_opening_io.h"

#include <array>
#include <utility>

#include "streams/deadline_io.h"
#include "streams/postgres_greeting_io.h"

namespace sidestream::edge {
namespace {

constexpr std::size_t read_bytes = 4096;  // a ClientHello and no much more

// The stream is as good as before: waiting for readability takes nothing from it.
Task<bool> stays_silent(Timers& timers, Stream& stream, Instant until) {
  Task<> readable = stream.wait_readable();
  try {
    co_await with_deadline(timers, until, std::move(readable));
  } catch (const system_error& failure) {
    if (failure.code() != asio::error::timed_out) throw;
    co_return true;
  }
  co_return false;
}

// Ends when the parser has its verdict or the client has ended its direction.
Task<> feed_parser(Stream& stream, ClientHelloParser& parser, Opening& opening, bool& premature) {
  PostgresGreeting greeting = co_await greet_postgres(stream);
  opening.postgres = greeting.kind == PostgresGreeting::Kind::tls_follows;
  premature = greeting.kind == PostgresGreeting::Kind::premature;
  if (premature) co_return;
  std::vector<std::uint8_t>& seen = opening.bytes;
  seen = std::move(greeting.bytes);
  if (!seen.empty()) parser.feed(seen);
  std::array<std::uint8_t, read_bytes> chunk;
  while (parser.verdict() == ClientHelloParser::Verdict::need_more) {
    const std::size_t count = co_await stream.read_some(chunk);
    if (count == 0) co_return;
    const Bytes fresh = Bytes(chunk).first(count);
    seen.insert(seen.end(), fresh.begin(), fresh.end());
    parser.feed(fresh);
  }
}

std::expected<Opening, Refusal> judge(const ClientHelloParser& parser, Opening opening,
                                      bool has_default) {
  if (opening.postgres) has_default = false;  // it was promised TLS
  using Verdict = ClientHelloParser::Verdict;
  const auto refuse = [&](StreamEnd end, std::optional<TlsAlert> alert) {
    return std::unexpected(Refusal{.end = end, .alert = alert, .why = parser.why()});
  };
  switch (parser.verdict()) {
    case Verdict::hello:
      opening.tls = true;
      opening.name = parser.hello().server_name;
      opening.for_challenge = is_for_challenge(parser.hello());
      return opening;
    case Verdict::not_tls:
      if (has_default) return opening;
      return refuse(StreamEnd::not_tls, std::nullopt);
    case Verdict::need_more:  // and no more came
      if (has_default && opening.bytes.empty()) return opening;
      return refuse(StreamEnd::client_left, std::nullopt);
    case Verdict::malformed:
      return refuse(StreamEnd::hello_malformed, TlsAlert::decode_error);
    case Verdict::too_large:
      return refuse(StreamEnd::hello_too_large, TlsAlert::decode_error);
  }
  std::unreachable();
}

}  // namespace

Task<std::expected<Opening, Refusal>> read_opening(Timers& timers, Stream& stream, Instant accepted,
                                                   bool has_default, OpeningLimits limits) {
  Opening opening;
  if (has_default) {
    const bool silent =
        co_await stays_silent(timers, stream, accepted + limits.silence_on_mixed_port);
    if (silent) co_return opening;
  }
  ClientHelloParser parser(limits.hello);
  bool premature = false;
  Task<> feeding = feed_parser(stream, parser, opening, premature);
  bool late = false;
  try {
    co_await with_deadline(timers, accepted + limits.hello_time, std::move(feeding));
  } catch (const system_error& failure) {
    if (failure.code() != asio::error::timed_out) throw;
    late = true;
  }
  if (late)
    co_return std::unexpected(Refusal{.end = StreamEnd::hello_late, .alert = {}, .why = {}});
  if (premature)
    co_return std::unexpected(Refusal{.end = StreamEnd::hello_malformed,
                                      .why = "bytes between a request for TLS and its answer"});
  co_return judge(parser, std::move(opening), has_default);
}

}  // namespace sidestream::edge
