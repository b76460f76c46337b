// One service at home: watches the health of its backend and serves the streams that an edge sends
// for it.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sidecar/backend_tls_io.h"
#include "sidecar/health.h"
#include "sidecar/served_stream.h"
#include "sidecar/service_tls_io.h"
#include "sidecar/sidecar_configuration.h"
#include "streams/event_io.h"
#include "streams/network_io.h"
#include "streams/proxy_header.h"

namespace sidestream::sidecar {

class Service {
 public:
  struct Callbacks {
    std::function<void(const Service&)> health_changed;
    std::function<void(const ServedStream&)> stream_ended;
    std::function<void(const Service&)> certificate_changed;
  };

  // `network` and what `store` refers to outlive it, and it outlives every call of serve().
  Service(Network& network, ServiceConfiguration configuration, std::uint16_t tunnel_port,
          CertificateStore store, Callbacks callbacks);

  // Probes the backend until it is cancelled or the service was retired. Once.
  Task<> watch_health();
  // The file has it no more, or has it differently: it is not published again, its streams go on.
  void retire();
  [[nodiscard]] bool watching() const { return watching_ || keeping_; }
  // Reads files again that may have been replaced, and does not wait any longer after failures.
  void hurry();
  // Keeps the certificate fresh, until it is cancelled or the service was retired. Once.
  Task<> keep_certificate();
  // Where TLS ends here; else nullptr.
  [[nodiscard]] ServiceTls* tls() { return tls_.get(); }
  [[nodiscard]] const ServiceTls* tls() const { return tls_.get(); }
  // Whether a client could be served now: the backend is well, and there is a certificate if one is
  // needed.
  [[nodiscard]] bool can_serve() const;
  // Why not, in one line.
  [[nodiscard]] std::string obstacle() const;
  // The verdict on the same backends, probed in the same way.
  void adopt_health(const Service& other) { health_ = other.health_; }
  // The same of a process before us, which found them healthy.
  void adopt_health() { health_.record_success(); }

  // Carries one stream to the backend; returns when it is over. Throws only when it is cancelled.
  // `from_edge` gives the client's bytes, without the PROXY header that came before them.
  Task<> serve(std::unique_ptr<Stream> from_edge, ProxyHeader header);

  [[nodiscard]] const ServiceConfiguration& configuration() const { return configuration_; }
  // Of the sidecar's tunnel addresses, where its streams arrive.
  [[nodiscard]] std::uint16_t tunnel_port() const { return tunnel_port_; }
  [[nodiscard]] const HealthJudge& health() const { return health_; }
  [[nodiscard]] std::size_t streams() const { return streams_; }
  // When its newest stream came that was not shed; and ends that one.
  [[nodiscard]] std::optional<Instant> newest_stream() const;
  void shed_newest_stream();
  [[nodiscard]] const ServedCounters& counters() const { return counters_; }
  // Goes on counting for one that is no more.
  void adopt_counters(const Service& other) { counters_.add(other.counters_); }

 private:
  // A stream while it is served. The oldest stand in front.
  struct LiveStream {
    LiveStream(Service& service, Stream& stream, Instant begin)
        : owner(service),
          client(stream),
          began(begin),
          listed(service.live_.insert(service.live_.end(), this)) {}
    LiveStream(const LiveStream&) = delete;
    LiveStream& operator=(const LiveStream&) = delete;
    ~LiveStream() { owner.live_.erase(listed); }

    Service& owner;
    Stream& client;
    Instant began;
    bool shed = false;
    std::list<LiveStream*>::iterator listed;
  };

  Task<> wait_retired();
  Task<std::unique_ptr<Stream>> open_backend(const ProxyHeader& header, const Stream& from_edge,
                                             BackendOpening& opening);
  [[nodiscard]] BackendOpening opening() const;
  [[nodiscard]] std::optional<ServedEnd> refusal(const ProxyHeader& header,
                                                 const ServedStream& record);
  Task<> turn_away(std::unique_ptr<Stream> from_edge, ServedStream& record);
  Task<> serve_admitted(std::unique_ptr<Stream> from_edge, ProxyHeader header,
                        ServedStream& record);
  Task<> carry(Stream& client, const ProxyHeader& header, ServedStream& record);
  Task<> carry_to_backend(Stream& client, const ProxyHeader& header, ServedStream& record);

  Network& network_;
  const ServiceConfiguration configuration_;
  const std::uint16_t tunnel_port_;
  Callbacks callbacks_;
  HealthJudge health_;
  ServiceAdmission admission_;
  std::unique_ptr<ServiceTls> tls_;
  std::unique_ptr<BackendTls> backend_tls_;  // nullptr: they are not spoken to in TLS
  bool watching_ = false;
  bool keeping_ = false;
  bool retired_ = false;
  Event retired_changed_;
  std::size_t streams_ = 0;
  std::size_t lookers_ = 0;  // that are let in although they are refused
  std::list<LiveStream*> live_;
  ServedCounters counters_;
};

}  // namespace sidestream::sidecar
