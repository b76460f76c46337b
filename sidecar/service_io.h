// One service at home: watches the health of its backends and serves the streams that an edge sends
// for it.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sidecar/served_stream.h"
#include "sidecar/service_backends_io.h"
#include "sidecar/service_tls_io.h"
#include "sidecar/sidecar_configuration.h"
#include "streams/event_io.h"
#include "streams/network_io.h"
#include "streams/proxy_header.h"

namespace sidestream::sidecar {

class Service {
 public:
  struct Callbacks {
    // Of one of its backends, by its place.
    std::function<void(const Service&, std::size_t backend)> health_changed;
    std::function<void(const ServedStream&)> stream_ended;
    std::function<void(const Service&)> certificate_changed;
    std::function<bool(const IpAddress&)> is_banned{};  // empty: nobody is
  };

  // `network` and what `store` refers to outlive it, and it outlives every call of serve().
  Service(Network& network, ServiceConfiguration configuration, std::uint16_t tunnel_port,
          CertificateStore store, Callbacks callbacks);

  // Probes the backends until it is cancelled or the service was retired. Once.
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
  // Whether a client could be served now: a backend is well, and there is a certificate if one is
  // needed.
  [[nodiscard]] bool can_serve() const;
  // Why not, in one line.
  [[nodiscard]] std::string obstacle() const;
  // The verdicts on the same backends, probed in the same way.
  void adopt_health(const Service& other) { backends_.adopt_health(other.backends_); }

  // Carries one stream to the backend; returns when it is over. Throws only when it is cancelled.
  // `from_edge` gives the client's bytes, without the PROXY header that came before them.
  Task<> serve(std::unique_ptr<Stream> from_edge, ProxyHeader header);

  [[nodiscard]] const ServiceConfiguration& configuration() const { return configuration_; }
  // Of the sidecar's tunnel addresses, where its streams arrive.
  [[nodiscard]] std::uint16_t tunnel_port() const { return tunnel_port_; }
  [[nodiscard]] ServiceBackends& backends() { return backends_; }
  [[nodiscard]] const ServiceBackends& backends() const { return backends_; }
  [[nodiscard]] std::size_t streams() const { return streams_; }
  // When its newest stream came that was not shed; and ends that one.
  [[nodiscard]] std::optional<Instant> newest_stream() const;
  void shed_newest_stream();
  // Ends those of clients in this network. Returns how many.
  std::size_t cut_streams_of(const IpPrefix& network);
  [[nodiscard]] const ServedCounters& counters() const { return counters_; }
  // Goes on counting for one that is no more.
  void adopt_counters(const Service& other);

 private:
  // A stream while it is served. The oldest stand in front.
  struct LiveStream {
    LiveStream(Service& service, Stream& stream, const IpAddress& from, Instant begin)
        : owner(service),
          client(stream),
          address(from.unmapped()),
          began(begin),
          listed(service.live_.insert(service.live_.end(), this)) {}
    LiveStream(const LiveStream&) = delete;
    LiveStream& operator=(const LiveStream&) = delete;
    ~LiveStream() { owner.live_.erase(listed); }

    Service& owner;
    void end_by_us(ServedEnd why) {
      ended_by_us = why;
      client.abort();
    }

    Stream& client;
    IpAddress address;
    Instant began;
    std::optional<ServedEnd> ended_by_us;
    std::list<LiveStream*>::iterator listed;
  };

  Task<> wait_retired();
  [[nodiscard]] std::vector<std::uint8_t> first_bytes(const ProxyHeader& header,
                                                      const Stream& from_edge) const;
  [[nodiscard]] bool is_banned(const IpAddress& client) const;
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
  ServiceBackends backends_;
  ServiceAdmission admission_;
  std::unique_ptr<ServiceTls> tls_;
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
