#include "sidecar/service_backends_io.h"

#include <algorithm>
#include <utility>

#include "streams/join_io.h"

namespace sidestream::sidecar {
namespace {

HealthLimits limits_of(const HealthSettings& settings) {
  HealthLimits limits;
  limits.successes_until_healthy = settings.rise;
  limits.failures_until_unhealthy = settings.fall;
  limits.interval = settings.interval;
  limits.interval_unhealthy = std::min(limits.interval_unhealthy, settings.interval);
  limits.timeout = settings.timeout;
  return limits;
}

BackendAddress probed_address(BackendAddress backend, const HealthSettings& settings) {
  if (!settings.port) return backend;
  backend.host_port.port = *settings.port;
  backend.tls = false;  // which was said of the other port
  return backend;
}

// What a TLS backend is asked for: the name that clients will ask for.
std::string server_name_for_probe(const ServiceConfiguration& configuration) {
  for (const control::Endpoint& endpoint : configuration.publish)
    if (endpoint.name && !endpoint.name->is_wildcard()) return endpoint.name->text();
  return {};
}

std::vector<unsigned> weights_of(const ServiceConfiguration& configuration) {
  std::vector<unsigned> weights;
  for (const Backend& backend : configuration.backends) weights.push_back(backend.weight);
  return weights;
}

}  // namespace

void BackendCounters::add(const BackendCounters& other) {
  streams_in_all += other.streams_in_all;
  dials_failed += other.dials_failed;
  probes_healthy += other.probes_healthy;
  probes_unhealthy += other.probes_unhealthy;
}

ServiceBackends::ServiceBackends(Network& network, const ServiceConfiguration& configuration,
                                 BackendTls::ReadFile read_file,
                                 std::function<void(std::size_t backend)> on_verdict)
    : network_(network),
      configuration_(configuration),
      on_verdict_(std::move(on_verdict)),
      choice_(configuration.choice, weights_of(configuration)) {
  for (const Backend& backend : configuration.backends)
    backends_.push_back(
        {.address = backend.address,
         .probed = probed_address(backend.address, configuration.health),
         .health = HealthJudge(configuration.health.kind, limits_of(configuration.health))});
  if (configuration.backends.front().address.tls)
    tls_ = std::make_unique<BackendTls>(configuration_.backend_tls, std::move(read_file));
}

// ---- health ------------------------------------------------------------------------------------

Task<> ServiceBackends::watch() {
  if (configuration_.health.kind == HealthKind::none) co_return;
  Task<> all = watch_one(0);
  for (std::size_t i = 1; i < backends_.size(); ++i) all = both(std::move(all), watch_one(i));
  co_await std::move(all);
}

Task<> ServiceBackends::watch_one(std::size_t place) {
  while (!retired_) {
    co_await probe(place);
    co_await first_of(network_.timers().sleep_for(backends_[place].health.until_next_probe()),
                      wait_retired());
  }
}

Task<> ServiceBackends::probe(std::size_t place) {
  Watched& one = backends_[place];
  if (tls_) tls_->look();
  BackendOpening open = opening();
  const auto verdict = co_await probe_backend(network_, configuration_.health.kind, one.probed,
                                              server_name_for_probe(configuration_),
                                              configuration_.health.timeout, &open);
  ++(verdict ? one.counters.probes_healthy : one.counters.probes_unhealthy);
  const bool changed =
      verdict ? one.health.record_success() : one.health.record_failure(verdict.error());
  choice_.on_probed(network_.timers().now(), place, one.health.state(), verdict.has_value());
  if (changed && !retired_) on_verdict_(place);
}

Task<> ServiceBackends::wait_retired() {
  while (!retired_) co_await retired_changed_.wait();
}

void ServiceBackends::retire() {
  retired_ = true;
  retired_changed_.notify_all();
}

void ServiceBackends::hurry() {
  if (tls_) tls_->look();
}

HealthJudge::State ServiceBackends::state() const {
  using State = HealthJudge::State;
  const auto any = [this](State state) {
    return std::ranges::any_of(backends_,
                               [state](const Watched& one) { return one.health.state() == state; });
  };
  if (any(State::healthy)) return State::healthy;
  return any(State::unknown) ? State::unknown : State::unhealthy;
}

std::string ServiceBackends::reason() const {
  if (state() == HealthJudge::State::healthy) return {};
  if (backends_.size() == 1) return backends_.front().health.reason();
  std::string text;
  for (const Watched& one : backends_)
    if (!one.health.reason().empty())
      text += (text.empty() ? "" : "; ") + one.address.text() + ": " + one.health.reason();
  return text;
}

void ServiceBackends::adopt_health(const ServiceBackends& other) {
  for (std::size_t i = 0; i < backends_.size(); ++i) {
    const auto same = std::ranges::find(other.backends_, backends_[i].address, &Watched::address);
    if (same == other.backends_.end()) continue;
    backends_[i].health.adopt(same->health);
    choice_.on_probed(network_.timers().now(), i, backends_[i].health.state(), false);
  }
}

void ServiceBackends::adopt_healthy(std::size_t backend) {
  backends_[backend].health.record_success();
  choice_.on_probed(network_.timers().now(), backend, backends_[backend].health.state(), true);
}

void ServiceBackends::adopt_counters(const ServiceBackends& other) {
  for (Watched& one : backends_) {
    const auto same = std::ranges::find(other.backends_, one.address, &Watched::address);
    if (same != other.backends_.end()) one.counters.add(same->counters);
  }
}

// ---- streams -----------------------------------------------------------------------------------

BackendOpening ServiceBackends::opening() const {
  return tls_ ? tls_->opening() : BackendOpening{};
}

Task<std::expected<std::unique_ptr<ServiceBackends::Connected>, BackendFailure>>
ServiceBackends::connect(std::vector<std::uint8_t> first_bytes) {
  const Instant began = network_.timers().now();
  const Instant deadline = began + limits_.dial;
  BackendFailure failure;
  const std::vector<std::size_t> order = choice_.order(began);
  for (const std::size_t place : order) {
    Duration timeout = deadline - network_.timers().now();
    if (timeout <= Duration::zero()) break;
    if (place != order.back()) timeout = std::min(timeout, limits_.attempt);
    auto connected = std::make_unique<Connected>(choice_, place);
    std::string why = co_await attempt(*connected, timeout, first_bytes);
    Watched& one = backends_[place];
    if (connected->stream) {
      ++one.counters.streams_in_all;
      co_return connected;
    }
    ++one.counters.dials_failed;
    choice_.on_dial_failed(network_.timers().now(), place);
    failure = {.backend = name(place), .why = std::move(why)};
  }
  co_return std::unexpected(std::move(failure));
}

// Why there is no stream.
Task<std::string> ServiceBackends::attempt(Connected& connected, Duration timeout,
                                           std::vector<std::uint8_t> first_bytes) {
  BackendOpening open = opening();
  open.first_bytes = std::move(first_bytes);
  error_code failure;
  try {
    connected.stream =
        co_await dial_backend(network_, backends_[connected.place()].address, timeout, &open);
  } catch (const system_error& error) {
    if (error.code() == asio::error::operation_aborted) throw;
    failure = error.code();
  }
  co_return open.problem.empty() ? failure.message() : "TLS: " + open.problem;
}

std::string ServiceBackends::name(std::size_t backend) const {
  return backends_[backend].address.text();
}

const HealthJudge& ServiceBackends::health(std::size_t backend) const {
  return backends_[backend].health;
}

const BackendCounters& ServiceBackends::counters(std::size_t backend) const {
  return backends_[backend].counters;
}

}  // namespace sidestream::sidecar
