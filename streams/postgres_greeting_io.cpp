#include "streams/postgres_greeting_io.h"

#include <array>
#include <boost/system/errc.hpp>

#include "streams/asio_io.h"

namespace sidestream {
namespace {

constexpr std::size_t read_bytes = 4096;  // a request, or a ClientHello and not much more

Task<> answer(Stream& stream, std::uint8_t byte) {
  const std::array<std::uint8_t, 1> bytes{byte};
  co_await stream.write_all(bytes);
}

}  // namespace

Task<PostgresGreeting> greet_postgres(Stream& stream) {
  using Verdict = PostgresOpening::Verdict;
  using Kind = PostgresGreeting::Kind;
  PostgresOpening opening;
  std::array<std::uint8_t, read_bytes> chunk;
  for (;;) {
    const std::size_t count = co_await stream.read_some(chunk);
    if (count == 0) co_return PostgresGreeting{.kind = Kind::none, .bytes = opening.bytes()};
    switch (opening.feed(Bytes(chunk).first(count))) {
      case Verdict::need_more:
        break;
      case Verdict::gss_request:
        co_await answer(stream, postgres_unwilling);
        break;
      case Verdict::ssl_request:
        co_await answer(stream, postgres_willing);
        co_return PostgresGreeting{.kind = Kind::tls_follows};
      case Verdict::other:
        co_return PostgresGreeting{.kind = Kind::none, .bytes = opening.bytes()};
      case Verdict::premature:
        co_return PostgresGreeting{.kind = Kind::premature, .bytes = opening.bytes()};
    }
  }
}

Task<> read_postgres_answer(Stream& server) {
  std::array<std::uint8_t, 1> byte{};
  const std::size_t count = co_await server.read_some(byte);
  if (count == 0 || byte[0] != postgres_willing)
    throw_error(make_error_code(boost::system::errc::protocol_error), "no TLS there");
}

}  // namespace sidestream
