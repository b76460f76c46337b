// The public side of the edge: listeners, and the way of each stream from there into the tunnel.
// docs/protocols/routing.md tells the rules.
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "edge/admission.h"
#include "edge/refusal_allowance.h"
#include "edge/route_table.h"
#include "edge/service_traffic.h"
#include "edge/stream_opening_io.h"
#include "edge/stream_record.h"
#include "edge/unreached_targets.h"
#include "streams/close_io.h"
#include "streams/network_io.h"
#include "streams/relay_io.h"
#include "streams/task_group_io.h"
#include "tunnel/tunnel_io.h"

namespace sidestream::edge {

struct RouterLimits {
  AdmissionLimits admission{};
  OpeningLimits opening{};
  RelayLimits relay{};
  RefusalAllowanceLimits told_refusals{};
  Duration connect_time{4s};  // to one target through the tunnel
  // For PostgreSQL at home to say that it speaks TLS; the sidecar may try several backends.
  Duration postgres_answer_time{15s};
  // For a refused client to read its alert and to close.
  CloseLimits farewell{.timeout = 1s};
  // After accept() failed for want of descriptors or memory.
  Duration accept_pause{100ms};
  Duration accept_failure_told_every{10s};
};

struct RouterCallbacks {
  // Once for each stream at its end; of refused ones as many as told_refusals allows.
  std::function<void(const StreamRecord&)> on_stream_end = [](const StreamRecord&) {};
  // Whether this sidecar wants none of that client's streams.
  std::function<bool(std::string_view sidecar, const IpAddress& client)> is_banned =
      [](std::string_view, const IpAddress&) { return false; };
  // Accepting on a port fails, and is tried again.
  std::function<void(std::uint16_t port, error_code)> on_accept_failed = [](std::uint16_t,
                                                                            error_code) {};
};

struct RouterCounters {
  std::uint64_t accepted = 0;
  std::size_t active = 0;                               // streams now
  std::size_t undecided = 0;                            // of these, without a whole ClientHello
  std::array<std::uint64_t, stream_end_count> ended{};  // by StreamEnd
  std::uint64_t accept_failures = 0;
  std::uint64_t bytes_from_clients = 0;  // of streams that have ended
  std::uint64_t bytes_to_clients = 0;
};

class EdgeRouter {
 public:
  // `address` is what public ports are bound to; `::` takes IPv4 too, and becomes 0.0.0.0 where
  // IPv6 is switched off. Network and tunnel outlive the router. stop() must have returned before
  // it is destroyed.
  EdgeRouter(Network& network, tunnel::Tunnel& tunnel, const IpAddress& address,
             const RouterLimits& limits = {}, RouterCallbacks callbacks = {});
  EdgeRouter(const EdgeRouter&) = delete;
  EdgeRouter& operator=(const EdgeRouter&) = delete;
  ~EdgeRouter() = default;

  // Count for streams from now on; what is over a limit stays.
  void set_limits(const RouterLimits& limits) {
    limits_ = limits;
    admission_.set_limits(limits.admission);
  }
  // Live streams keep their way.
  void set_routes(std::vector<Route> routes) { routes_.replace(std::move(routes)); }

  // Begins to accept. Opening a port that is open is no error.
  std::expected<void, error_code> open_port(std::uint16_t port);
  // Stops to accept; live streams stay.
  void close_port(std::uint16_t port);
  void close_ports();
  [[nodiscard]] bool is_open(std::uint16_t port) const { return ports_.contains(port); }
  // The listeners' descriptors by port; those that have one.
  [[nodiscard]] std::map<std::uint16_t, int> listeners() const;
  // A client that somebody else has accepted on that port; `client` has the addresses of both ends.
  void take(std::unique_ptr<Stream> client, std::uint16_t port) { admit(std::move(client), port); }

  // So many more streams are let in until the next call; not set: as many as there are limits for.
  void set_room(std::optional<std::size_t> streams) { room_ = streams; }
  // Ends the newest streams. Returns how many.
  std::size_t shed_newest(std::size_t count);

  // Cuts what goes to a sidecar, or is just being connected to it. Returns how many streams.
  std::size_t abort_streams_of(std::string_view sidecar);

  // Those that abort_streams_of would cut.
  [[nodiscard]] std::size_t streams_of(std::string_view sidecar) const;

  // Closes all ports and waits until the last stream has ended by itself or `time` is over.
  Task<> drain(Duration time);
  // Closes all ports, ends all streams and waits for that.
  Task<> stop();

  [[nodiscard]] RouterCounters counters() const;
  [[nodiscard]] const ServiceTrafficTable& traffic() const { return traffic_; }
  // It is enrolled no more.
  void forget_traffic_of(std::string_view sidecar) { traffic_.forget(sidecar); }
  [[nodiscard]] std::size_t clients() const { return admission_.clients(); }

 private:
  // A stream from accept to its end; counted and listed as long as it exists.
  struct LiveStream {
    // `looks`: it is over a limit, and let in only to look at a name.
    LiveStream(EdgeRouter& router, std::unique_ptr<Stream> accepted_client, std::uint16_t port,
               bool looks);
    LiveStream(const LiveStream&) = delete;
    LiveStream& operator=(const LiveStream&) = delete;
    ~LiveStream();

    void end_by_us(StreamEnd why);

    EdgeRouter& router;
    std::unique_ptr<Stream> client;
    std::unique_ptr<Stream> upstream;   // into the tunnel
    ServiceTraffic* traffic = nullptr;  // since there is an upstream
    bool looks;
    Instant accepted;
    // Its `end` always says what it means if an operation fails now.
    StreamRecord record;
    std::optional<StreamEnd> ended_by_us;  // is why the operations fail
    std::list<LiveStream*>::iterator listed;
    std::optional<std::list<LiveStream*>::iterator> undecided;
  };

  Task<> accept_streams(std::unique_ptr<Listener> listener, std::uint16_t port);
  void admit(std::unique_ptr<Stream> client, std::uint16_t port);
  [[nodiscard]] std::optional<StreamEnd> refusal_of(const IpAddress& client);
  [[nodiscard]] bool may_look(std::uint16_t port);
  bool become_looker(LiveStream& stream);
  std::vector<RouteTarget> targets_for(LiveStream& stream, const Route& route, bool for_challenge);
  Task<> serve(std::unique_ptr<LiveStream> stream);
  Task<> carry(LiveStream& stream);
  Task<std::expected<Opening, Refusal>> opening_of(LiveStream& stream);
  Task<std::size_t> connect(LiveStream& stream, std::vector<RouteTarget> targets, Bytes first);
  Task<> begin_postgres(LiveStream& stream, Bytes hello);
  Task<> refuse(LiveStream& stream, Refusal refusal);
  bool begin_undecided(LiveStream& stream);
  void end_undecided(LiveStream& stream);
  void note_accept_failure(std::uint16_t port, error_code error);
  void report(StreamRecord record);

  Network& network_;
  tunnel::Tunnel& tunnel_;
  const IpAddress address_;
  RouterLimits limits_;
  const RouterCallbacks callbacks_;
  RouteTable routes_;
  UnreachedTargets unreached_;
  Admission admission_;
  std::optional<std::size_t> room_;
  RefusalAllowance told_refusals_;
  RouterCounters counters_;
  ServiceTrafficTable traffic_;
  std::optional<Instant> accept_failure_told_;
  std::map<std::uint16_t, Listener*> ports_;  // each owned by its accept_streams()
  std::list<LiveStream*> streams_;            // the oldest in front, as below
  std::list<LiveStream*> undecided_;
  Event stream_ended_;
  TaskGroup tasks_;
};

}  // namespace sidestream::edge
