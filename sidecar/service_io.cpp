#include "sidecar/service_io.h"

#include <algorithm>
#include <utility>

#include "sidecar/stream_endpoint.h"
#include "streams/close_io.h"
#include "streams/introduction_io.h"
#include "streams/join_io.h"
#include "streams/relay_io.h"

namespace sidestream::sidecar {
namespace {

// For a client on a slow line to read what was written for it, and to end its own direction.
constexpr Duration last_bytes_timeout = 60s;
// At once. An authority comes from a handful of places.
constexpr std::size_t lookers_max = 32;

ServedEnd served_end_of(RelayEnd end) {
  switch (end) {
    case RelayEnd::both_ended:
      return ServedEnd::finished;
    case RelayEnd::left_error:
      return ServedEnd::client_broke;
    case RelayEnd::right_error:
      return ServedEnd::backend_broke;
    case RelayEnd::idle:
      return ServedEnd::idle;
    case RelayEnd::cancelled:
      return ServedEnd::stopped;
  }
  std::unreachable();
}

std::optional<ServedEnd> refusal_of(ServiceVerdict verdict) {
  switch (verdict) {
    case ServiceVerdict::admitted:
      return std::nullopt;
    case ServiceVerdict::too_many:
      return ServedEnd::too_many;
    case ServiceVerdict::too_many_of_client:
      return ServedEnd::too_many_of_client;
    case ServiceVerdict::too_fast:
      return ServedEnd::too_fast;
  }
  std::unreachable();
}

class Admitted {
 public:
  Admitted(ServiceAdmission& admission, const IpAddress& client)
      : admission_(admission), client_(client) {}
  ~Admitted() { admission_.leave(client_); }
  Admitted(const Admitted&) = delete;
  Admitted& operator=(const Admitted&) = delete;

 private:
  ServiceAdmission& admission_;
  const IpAddress client_;
};

// Counts a stream for as long as it lives.
class Count {
 public:
  explicit Count(std::size_t& counter) : counter_(counter) { ++counter_; }
  ~Count() { --counter_; }
  Count(const Count&) = delete;
  Count& operator=(const Count&) = delete;

 private:
  std::size_t& counter_;
};

}  // namespace

Service::Service(Network& network, ServiceConfiguration configuration, std::uint16_t tunnel_port,
                 CertificateStore store, Callbacks callbacks)
    : network_(network),
      configuration_(std::move(configuration)),
      tunnel_port_(tunnel_port),
      callbacks_(std::move(callbacks)),
      backends_(network_, configuration_, store.read_file,
                [this](std::size_t backend) {
                  if (!retired_ && callbacks_.health_changed)
                    callbacks_.health_changed(*this, backend);
                }),
      admission_(configuration_.limits) {
  if (configuration_.tls != TlsMode::terminate) return;
  tls_ = std::make_unique<ServiceTls>(network_, configuration_, std::move(store),
                                      [this](const ServiceTls&) {
                                        if (!retired_ && callbacks_.certificate_changed)
                                          callbacks_.certificate_changed(*this);
                                      });
}

bool Service::can_serve() const {
  return backends_.state() == HealthJudge::State::healthy && (!tls_ || tls_->wanted());
}

std::string Service::obstacle() const {
  if (tls_ && !tls_->wanted())
    return "no certificate: " +
           (tls_->problem().empty() ? "it has not been read yet" : tls_->problem());
  const bool several = backends_.size() > 1;
  if (backends_.state() == HealthJudge::State::unknown)
    return several ? "the backends are being asked for the first time"
                   : "the backend is being asked for the first time";
  if (backends_.state() == HealthJudge::State::unhealthy)
    return (several ? "no backend is healthy: " : "the backend is not healthy: ") +
           backends_.reason();
  return {};
}

Task<> Service::keep_certificate() {
  if (!tls_) co_return;
  keeping_ = true;
  Task<> keeping = tls_->keep_fresh();
  Task<> retiring = wait_retired();
  co_await first_of(std::move(keeping), std::move(retiring));
  keeping_ = false;
}

Task<> Service::watch_health() {
  watching_ = true;
  co_await backends_.watch();
  watching_ = false;
}

Task<> Service::wait_retired() {
  while (!retired_) co_await retired_changed_.wait();
}

void Service::retire() {
  retired_ = true;
  retired_changed_.notify_all();
  backends_.retire();
}

void Service::hurry() {
  if (tls_) tls_->hurry();
  backends_.hurry();
}

std::vector<std::uint8_t> Service::first_bytes(const ProxyHeader& header,
                                               const Stream& from_edge) const {
  const SocketAddress client = header.source.value_or(from_edge.remote_address());
  const SocketAddress edge = header.destination.value_or(from_edge.local_address());
  if (configuration_.proxy_protocol == ProxyProtocol::v2) return serialize_proxy_v2(client, edge);
  if (configuration_.proxy_protocol == ProxyProtocol::off) return {};
  const std::string line = serialize_proxy_v1(client, edge);
  return {line.begin(), line.end()};
}

void Service::adopt_counters(const Service& other) {
  counters_.add(other.counters_);
  backends_.adopt_counters(other.backends_);
}

// ---- streams -----------------------------------------------------------------------------------

Task<> Service::serve(std::unique_ptr<Stream> from_edge, ProxyHeader header) {
  const Count counted(streams_);
  ++counters_.streams_in_all;
  const Instant began = network_.timers().now();
  ServedStream record;
  record.service = configuration_.name;
  record.of_several = backends_.size() > 1;
  record.client = header.source.value_or(from_edge->remote_address());
  std::optional<ServerName> server_name;
  if (const auto text = header.authority())
    if (auto name = ServerName::parse(*text)) server_name = std::move(*name);
  record.endpoint = stream_endpoint(configuration_.publish, server_name,
                                    header.destination.value_or(from_edge->local_address()).port);

  if (const auto refused = refusal(header, record)) {
    record.end = *refused;
    co_await turn_away(std::move(from_edge), record);
  } else {
    const Admitted admitted(admission_, record.client.address);
    co_await serve_admitted(std::move(from_edge), std::move(header), record);
  }
  record.duration = network_.timers().now() - began;
  ++counters_.ended.at(std::to_underlying(record.end));
  if (callbacks_.stream_ended) callbacks_.stream_ended(record);
}

// Counts the stream when there is none.
std::optional<ServedEnd> Service::refusal(const ProxyHeader& header, const ServedStream& record) {
  ClientFacts client;
  if (header.source) client.address = header.source->address;
  if (is_banned(record.client.address)) return ServedEnd::banned;
  if (!configuration_.rules.take(client)) return ServedEnd::denied;
  return refusal_of(admission_.admit(network_.timers().now(), record.client.address));
}

// Clients may be banned, denied or too many, but an authority that cannot look gives no certificate
// to any of them. It comes from addresses that nobody knows, so it is known by what it asks for,
// and only while it is expected; what it gets is the challenge, never the backend.
Task<> Service::turn_away(std::unique_ptr<Stream> from_edge, ServedStream& record) {
  if (!tls_ || !tls_->is_looked_at() || lookers_ >= lookers_max) co_return from_edge->abort();
  const Count counted(lookers_);
  Introduction introduction{.header = {}, .stream = std::move(from_edge)};
  const auto hello = co_await peek_client_hello(network_, introduction, {});
  if (!hello || !is_for_challenge(*hello)) co_return introduction.stream->abort();
  auto client = co_await tls_->accept(std::move(introduction.stream));
  if (!client) co_return;
  if (!is_challenge((*client)->session())) co_return (*client)->abort();
  record.end = ServedEnd::looked_at;
  co_await close_in_order(network_.timers(), (*client)->transport());
}

Task<> Service::serve_admitted(std::unique_ptr<Stream> from_edge, ProxyHeader header,
                               ServedStream& record) {
  if (!tls_) {
    co_await carry(*from_edge, header, record);
    co_return;
  }
  auto client = co_await tls_->accept(std::move(from_edge));
  if (!client) {
    record.end = ServedEnd::tls_failed;
    record.error = client.error();
    co_return;
  }
  TlsStream& stream = **client;
  if (is_challenge(stream.session())) {
    record.end = ServedEnd::looked_at;
    co_await close_in_order(network_.timers(), stream.transport());
    co_return;
  }
  record.tls_version = stream.session().version();
  record.client_certificate = stream.session().peer();
  co_await carry(stream, header, record);
  // Its own end comes after its close_notify, and after it has read what is still on the way.
  co_await close_in_order(network_.timers(), stream.transport(), {.timeout = last_bytes_timeout});
}

Task<> Service::carry(Stream& client, const ProxyHeader& header, ServedStream& record) {
  LiveStream live(*this, client, record.client.address, network_.timers().now());
  // While the client shook hands it may have been banned.
  if (is_banned(record.client.address))
    live.end_by_us(ServedEnd::cut);
  else
    co_await carry_to_backend(client, header, record);
  if (!live.ended_by_us) co_return;
  record.end = *live.ended_by_us;
  record.error.clear();
}

Task<> Service::carry_to_backend(Stream& client, const ProxyHeader& header, ServedStream& record) {
  const auto connected = co_await backends_.connect(first_bytes(header, client));
  if (!connected) {
    // The client must see that this is no clean end.
    client.abort();
    record.end = ServedEnd::backend_not_reached;
    record.backend = connected.error().backend;
    record.error = connected.error().why;
    co_return;
  }
  Stream& backend = *(*connected)->stream;
  record.backend = backends_.name((*connected)->place());
  const RelaySummary summary =
      co_await relay(network_.timers(), client, backend, RelayLimits{}, &counters_.bytes);
  record.client_to_backend_bytes = summary.left_to_right_bytes;
  record.backend_to_client_bytes = summary.right_to_left_bytes;
  record.end = served_end_of(summary.end);
  if (summary.error) record.error = summary.error.message();
  const bool in_tls = (summary.end == RelayEnd::left_error && tls_) ||
                      (summary.end == RelayEnd::right_error && backends_.in_tls());
  if (in_tls && summary.error == asio::error::connection_aborted)
    record.error = "it ended without close_notify";
}

std::optional<Instant> Service::newest_stream() const {
  const auto newest = std::find_if(live_.rbegin(), live_.rend(),
                                   [](const LiveStream* one) { return !one->ended_by_us; });
  return newest == live_.rend() ? std::nullopt : std::optional((*newest)->began);
}

void Service::shed_newest_stream() {
  const auto newest = std::find_if(live_.rbegin(), live_.rend(),
                                   [](const LiveStream* one) { return !one->ended_by_us; });
  if (newest == live_.rend()) return;
  (*newest)->end_by_us(ServedEnd::shed);
}

std::size_t Service::cut_streams_of(const IpPrefix& network) {
  std::size_t count = 0;
  for (LiveStream* const one : live_) {
    if (one->ended_by_us || !network.contains(one->address)) continue;
    one->end_by_us(ServedEnd::cut);
    ++count;
  }
  return count;
}

bool Service::is_banned(const IpAddress& client) const {
  return callbacks_.is_banned && callbacks_.is_banned(client);
}

}  // namespace sidestream::sidecar
