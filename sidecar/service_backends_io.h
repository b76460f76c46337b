// The backends of one service: asks each of them whether it is well, and connects streams to them.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "sidecar/backend_choice.h"
#include "sidecar/backend_io.h"
#include "sidecar/backend_tls_io.h"
#include "sidecar/health.h"
#include "sidecar/sidecar_configuration.h"
#include "streams/event_io.h"
#include "streams/network_io.h"

namespace sidestream::sidecar {

// Of one backend, since its service began.
struct BackendCounters {
  std::uint64_t streams_in_all = 0;
  std::uint64_t dials_failed = 0;  // of streams
  std::uint64_t probes_healthy = 0;
  std::uint64_t probes_unhealthy = 0;

  void add(const BackendCounters& other);
};

struct BackendLimits {
  Duration dial = 10s;  // of one stream, all attempts together
  // Of one attempt that another one can follow, so that a backend that swallows everything does
  // not make the client wait.
  Duration attempt = 3s;
};

// Why a stream has no backend, for a person.
struct BackendFailure {
  std::string backend;  // the last that was tried
  std::string why;
};

class ServiceBackends {
 public:
  // A stream to a backend, which counts as its as long as this lives.
  class Connected {
   public:
    Connected(BackendChoice& choice, std::size_t place) : choice_(choice), place_(place) {
      choice_.on_stream_began(place_);
    }
    ~Connected() { choice_.on_stream_ended(place_); }
    Connected(const Connected&) = delete;
    Connected& operator=(const Connected&) = delete;

    std::unique_ptr<Stream> stream{};
    [[nodiscard]] std::size_t place() const { return place_; }

   private:
    BackendChoice& choice_;
    const std::size_t place_;
  };

  // `on_verdict` is told of a backend whose verdict has changed. Network and configuration outlive
  // this, and this outlives every stream.
  ServiceBackends(Network& network, const ServiceConfiguration& configuration,
                  BackendTls::ReadFile read_file,
                  std::function<void(std::size_t backend)> on_verdict);

  // Probes all of them, until it is cancelled or retire() was called. Once.
  Task<> watch();
  void retire();
  // Reads files again that may have been replaced.
  void hurry();

  // Of all: healthy while one is, unknown while that could still be.
  [[nodiscard]] HealthJudge::State state() const;
  // Why it is not healthy; empty when it is.
  [[nodiscard]] std::string reason() const;
  // The verdicts on the same backends, probed in the same way.
  void adopt_health(const ServiceBackends& other);
  // The same of a process before us, which found one healthy.
  void adopt_healthy(std::size_t backend);
  // Goes on counting for the same backends of one that is no more.
  void adopt_counters(const ServiceBackends& other);

  // Connects to one, and goes on with the next as long as none answers; `first_bytes` come before
  // everything else, TLS too. Only cancelling throws.
  Task<std::expected<std::unique_ptr<Connected>, BackendFailure>> connect(
      std::vector<std::uint8_t> first_bytes);

  [[nodiscard]] std::size_t size() const { return backends_.size(); }
  [[nodiscard]] std::string name(std::size_t backend) const;
  [[nodiscard]] const HealthJudge& health(std::size_t backend) const;
  [[nodiscard]] const BackendCounters& counters(std::size_t backend) const;
  [[nodiscard]] std::size_t streams(std::size_t backend) const { return choice_.streams(backend); }
  // Whether they are spoken to in TLS.
  [[nodiscard]] bool in_tls() const { return tls_ != nullptr; }

 private:
  struct Watched {
    BackendAddress address;
    BackendAddress probed;
    HealthJudge health;
    BackendCounters counters{};
  };

  Task<> watch_one(std::size_t place);
  Task<> probe(std::size_t place);
  Task<> wait_retired();
  [[nodiscard]] BackendOpening opening() const;
  Task<std::string> attempt(Connected& connected, Duration timeout,
                            std::vector<std::uint8_t> first_bytes);

  Network& network_;
  const ServiceConfiguration& configuration_;
  const BackendLimits limits_;
  std::function<void(std::size_t)> on_verdict_;
  std::vector<Watched> backends_;
  BackendChoice choice_;
  std::unique_ptr<BackendTls> tls_;  // nullptr: they are not spoken to in TLS
  bool retired_ = false;
  Event retired_changed_;
};

}  // namespace sidestream::sidecar
