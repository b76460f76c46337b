#include "sidecar/backend_io.h"

#include <array>
#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>
#include <utility>

#include "streams/deadline_io.h"
#include "streams/tls_probe.h"
#include "streams/tls_stream_io.h"

namespace sidestream::sidecar {
namespace {

constexpr std::size_t probe_read_bytes = 4096;

Task<std::unique_ptr<Stream>> dial_host(Network& network, HostPort target, Duration timeout) {
  const Instant deadline = network.timers().now() + timeout;
  const auto addresses = co_await network.resolve(target.host, target.port, timeout);
  boost::system::error_code last = boost::asio::error::host_not_found;
  std::size_t left = addresses.size();
  for (const SocketAddress& address : addresses) {
    const Duration time_left = deadline - network.timers().now();
    if (time_left <= Duration::zero()) break;
    std::unique_ptr<Stream> stream;
    try {
      // Each address gets an equal share of what is left, so a dead one cannot eat it all.
      stream = co_await network.connect(address, time_left / static_cast<int>(left--));
    } catch (const boost::system::system_error& error) {
      if (error.code() == boost::asio::error::operation_aborted) throw;
      last = error.code();
    }
    if (stream) co_return stream;
  }
  throw boost::system::system_error(last);
}

Task<std::unique_ptr<Stream>> secure(std::unique_ptr<Stream> transport, std::string host,
                                     BackendOpening& opening) {
  if (opening.tls == nullptr)
    throw_error(make_error_code(boost::system::errc::protocol_error), "backend");
  const std::string& name = opening.server_name.empty() ? host : opening.server_name;
  auto stream = std::make_unique<TlsStream>(std::move(transport), opening.tls->connect(name));
  std::exception_ptr failure;
  try {
    co_await stream->handshake();
  } catch (...) {
    failure = std::current_exception();
  }
  if (!failure) co_return stream;
  opening.problem = stream->problem();
  std::rethrow_exception(failure);
}

Task<std::expected<void, std::string>> talk_lines(Stream& backend, HealthKind kind) {
  LineProbe probe(kind);
  if (!probe.greeting().empty()) co_await backend.write_all(bytes_of(probe.greeting()));
  std::array<std::uint8_t, probe_read_bytes> buffer{};
  for (;;) {
    const std::size_t count = co_await backend.read_some(buffer);
    const auto verdict = count == 0 ? probe.feed_end() : probe.feed(Bytes(buffer).first(count));
    if (verdict == LineProbe::Verdict::healthy) co_return std::expected<void, std::string>{};
    if (verdict == LineProbe::Verdict::unhealthy) co_return std::unexpected(probe.reason());
  }
}

Task<std::expected<void, std::string>> talk_tls(Stream& backend, std::string server_name) {
  TlsProbe probe(server_name);
  std::array<std::uint8_t, probe_read_bytes> buffer{};
  for (;;) {
    const auto flight = probe.poll_transmit();
    if (!flight.empty()) co_await backend.write_all(flight);
    const std::size_t count = co_await backend.read_some(buffer);
    if (count == 0) co_return std::unexpected("it closed the connection instead of greeting");
    const auto verdict = probe.feed(Bytes(buffer).first(count));
    if (verdict == TlsProbe::Verdict::speaks_tls) break;
    if (verdict == TlsProbe::Verdict::failed)
      co_return std::unexpected("it does not speak TLS: " + probe.reason());
  }
  // Let the server see a finished handshake, so that it has nothing to log.
  const auto last_flight = probe.poll_transmit();
  if (!last_flight.empty()) co_await backend.write_all(last_flight);
  co_return std::expected<void, std::string>{};
}

Task<std::expected<void, std::string>> probe_once(Network& network, HealthKind kind,
                                                  BackendAddress backend, std::string server_name,
                                                  Duration timeout, BackendOpening* opening) {
  const bool secured = backend.tls;  // with more than a probe asks for
  const std::unique_ptr<Stream> stream =
      co_await dial_backend(network, std::move(backend), timeout, opening);
  std::expected<void, std::string> verdict;
  if (kind == HealthKind::tls && !secured)
    verdict = co_await talk_tls(*stream, std::move(server_name));
  else if (kind == HealthKind::ssh || kind == HealthKind::electrum)
    verdict = co_await talk_lines(*stream, kind);
  if (verdict) co_await stream->close_write();
  co_return verdict;
}

}  // namespace

Task<std::unique_ptr<Stream>> dial_backend(Network& network, BackendAddress backend,
                                           Duration timeout, BackendOpening* opening) {
  const Instant deadline = network.timers().now() + timeout;
  std::unique_ptr<Stream> stream;
  if (backend.unix_path.empty())
    stream = co_await dial_host(network, backend.host_port, timeout);
  else
    stream = co_await network.connect_unix(backend.unix_path, timeout);
  if (opening == nullptr && backend.tls)
    throw_error(make_error_code(boost::system::errc::protocol_error), "backend");
  if (opening == nullptr) co_return stream;
  if (opening->tls != nullptr) opening->problem.clear();
  if (!opening->first_bytes.empty()) co_await stream->write_all(opening->first_bytes);
  if (!backend.tls) co_return stream;
  Task<std::unique_ptr<Stream>> securing =
      secure(std::move(stream), backend.host_port.host, *opening);
  co_return co_await with_timeout(network.timers(), deadline - network.timers().now(),
                                  std::move(securing));
}

Task<std::expected<void, std::string>> probe_backend(Network& network, HealthKind kind,
                                                     BackendAddress backend,
                                                     std::string server_name, Duration timeout,
                                                     BackendOpening* opening) {
  std::string reason;
  try {
    auto probe =
        probe_once(network, kind, std::move(backend), std::move(server_name), timeout, opening);
    co_return co_await with_timeout(network.timers(), timeout, std::move(probe));
  } catch (const boost::system::system_error& error) {
    if (error.code() == boost::asio::error::operation_aborted) throw;
    reason = error.code().message();
  }
  if (opening != nullptr && !opening->problem.empty()) reason = "TLS: " + opening->problem;
  co_return std::unexpected(reason);
}

}  // namespace sidestream::sidecar
