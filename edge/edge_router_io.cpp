#include "edge/edge_router_io.h"

#include <algorithm>
#include <utility>

#include "streams/deadline_io.h"
#include "streams/postgres_greeting_io.h"
#include "streams/proxy_header.h"

namespace sidestream::edge {
namespace {

// The PROXY header and what was read from the client, in one piece: some receivers want the header
// in one segment. A server of PostgreSQL's takes nothing behind its request before it has answered.
std::vector<std::uint8_t> first_bytes(const Stream& client, const Opening& opening) {
  const SocketAddress from = client.remote_address();
  const SocketAddress to = client.local_address();
  std::vector<std::uint8_t> bytes = serialize_proxy_v2(
      {from.address.unmapped(), from.port}, {to.address.unmapped(), to.port}, opening.name);
  const Bytes said = opening.postgres ? Bytes(postgres_ssl_request) : Bytes(opening.bytes);
  bytes.insert(bytes.end(), said.begin(), said.end());
  return bytes;
}

StreamEnd stream_end_of(RelayEnd end) {
  switch (end) {
    case RelayEnd::both_ended:
      return StreamEnd::finished;
    case RelayEnd::left_error:
      return StreamEnd::client_broke;
    case RelayEnd::right_error:
      return StreamEnd::sidecar_broke;
    case RelayEnd::idle:
      return StreamEnd::idle;
    case RelayEnd::cancelled:
      return StreamEnd::edge_stopped;
  }
  std::unreachable();
}

}  // namespace

EdgeRouter::EdgeRouter(Network& network, tunnel::Tunnel& tunnel, const IpAddress& address,
                       const RouterLimits& limits, RouterCallbacks callbacks)
    : network_(network),
      tunnel_(tunnel),
      address_(address),
      limits_(limits),
      callbacks_(std::move(callbacks)),
      admission_(limits.admission),
      told_refusals_(limits.told_refusals),
      tasks_(network.executor()) {}

void EdgeRouter::admit(std::unique_ptr<Stream> client, std::uint16_t port) {
  ++counters_.accepted;
  const std::optional<StreamEnd> refusal = refusal_of(client->remote_address().address);
  const bool looks = refusal == StreamEnd::too_many_of_client && may_look(port);
  if (!refusal || looks) {
    tasks_.spawn(serve(std::make_unique<LiveStream>(*this, std::move(client), port, looks)),
                 [](const std::exception_ptr&) {});
    return;
  }
  client->abort();
  StreamRecord record;
  record.client = client->remote_address();
  record.port = port;
  record.end = *refusal;
  report(std::move(record));
}

std::optional<StreamEnd> EdgeRouter::refusal_of(const IpAddress& client) {
  if (room_ && *room_ == 0) return StreamEnd::no_memory;
  switch (admission_.admit(client)) {
    case AdmissionVerdict::too_many_streams:
      return StreamEnd::too_many_streams;
    case AdmissionVerdict::too_many_of_client:
      return StreamEnd::too_many_of_client;
    case AdmissionVerdict::admitted:
      break;
  }
  if (room_) --*room_;
  return std::nullopt;
}

// Limits of one address are not for authorities, who look from addresses that others have as well;
// what it wants is in its ClientHello. Counts it.
bool EdgeRouter::may_look(std::uint16_t port) {
  return routes_.names_published_on(port) && admission_.let_looker_in();
}

// One that was admitted as any other gives its place back.
bool EdgeRouter::become_looker(LiveStream& stream) {
  if (stream.looks) return true;
  if (!admission_.let_looker_in()) return false;
  admission_.leave(stream.record.client.address);
  stream.looks = true;
  return true;
}

// In the order in which they are tried. Who is banned by one sidecar may still be served by
// another; an authority that looks at a name is the business of the sidecar that expects it.
std::vector<RouteTarget> EdgeRouter::targets_for(LiveStream& stream, const Route& route,
                                                 bool for_challenge) {
  std::vector<RouteTarget> targets =
      unreached_.ordered(network_.timers().now(), route.targets_for(network_.random().u64()));
  const auto is_banned = [&](const RouteTarget& target) {
    return callbacks_.is_banned(target.sidecar, stream.record.client.address);
  };
  const bool passes =
      for_challenge && std::ranges::any_of(targets, is_banned) && become_looker(stream);
  if (!passes) std::erase_if(targets, is_banned);
  return targets;
}

// ---- one stream ------------------------------------------------------------------------------

EdgeRouter::LiveStream::LiveStream(EdgeRouter& to, std::unique_ptr<Stream> accepted_client,
                                   std::uint16_t port, bool only_looks)
    : router(to),
      client(std::move(accepted_client)),
      looks(only_looks),
      accepted(to.network_.timers().now()),
      listed(to.streams_.insert(to.streams_.end(), this)) {
  const SocketAddress remote = client->remote_address();
  record.client = {remote.address.unmapped(), remote.port};
  record.port = port;
}

EdgeRouter::LiveStream::~LiveStream() {
  router.end_undecided(*this);
  if (traffic != nullptr) router.traffic_.leave(*traffic);
  router.streams_.erase(listed);
  if (looks)
    router.admission_.looker_leaves();
  else
    router.admission_.leave(record.client.address);
  router.stream_ended_.notify_all();
}

void EdgeRouter::LiveStream::end_by_us(StreamEnd why) {
  if (!ended_by_us) ended_by_us = why;
  client->abort();
  if (upstream) upstream->abort();
}

// The root of a stream: what happens in it ends here, as a record.
Task<> EdgeRouter::serve(std::unique_ptr<LiveStream> stream) {
  StreamRecord& record = stream->record;
  record.end = StreamEnd::client_left;
  std::exception_ptr failure;
  try {
    co_await carry(*stream);
  } catch (...) {
    failure = std::current_exception();
  }
  if (failure) record.error = code_of(failure).message();
  if (failure && tasks_.cancelled()) stream->end_by_us(StreamEnd::edge_stopped);
  if (stream->ended_by_us) {
    record.end = *stream->ended_by_us;
    record.error.clear();
  }
  record.duration = network_.timers().now() - stream->accepted;
  report(record);
}

Task<> EdgeRouter::carry(LiveStream& stream) {
  StreamRecord& record = stream.record;

  // What the client says, where the way depends on that.
  auto read = co_await opening_of(stream);
  if (!read) {
    co_await refuse(stream, read.error());
    co_return;
  }
  Opening opening = std::move(*read);
  record.server_name = opening.name;
  if (stream.looks && !opening.for_challenge) {
    co_await refuse(stream, {.end = StreamEnd::too_many_of_client, .alert = {}, .why = {}});
    co_return;
  }
  const auto tls_alert =
      opening.tls ? std::optional(TlsAlert::unrecognized_name) : std::optional<TlsAlert>();

  // The route. One without targets is kept for a sidecar that is away: to the client that is the
  // same as a name that nobody has.
  const Route* const route = routes_.find(record.port, opening.name);
  if (route == nullptr || route->targets.empty()) {
    const Refusal refusal{.end = StreamEnd::no_such_name, .alert = tls_alert, .why = {}};
    co_await refuse(stream, refusal);
    co_return;
  }
  record.endpoint = route->endpoint;

  // A stream through the tunnel; the client still gets the same answer when there is none.
  std::vector<RouteTarget> targets = targets_for(stream, *route, opening.for_challenge);
  if (targets.empty()) {
    const Refusal refusal{.end = StreamEnd::banned, .alert = {}, .why = {}};
    co_await refuse(stream, refusal);
    co_return;
  }
  std::vector<std::uint8_t> first = first_bytes(*stream.client, opening);
  const std::size_t written = co_await connect(stream, std::move(targets), first);
  if (!stream.upstream) {
    const Refusal refusal{.end = StreamEnd::sidecar_unreachable, .alert = tls_alert, .why = {}};
    co_await refuse(stream, refusal);
    co_return;
  }

  // The PROXY header and the bytes read so far, as far as they are not on their way.
  record.end = StreamEnd::sidecar_broke;
  stream.traffic = &traffic_.enter(record.sidecar, record.service);
  record.bytes_from_client = opening.bytes.size();
  co_await stream.upstream->write_all(Bytes(first).subspan(written));
  first = {};
  if (opening.postgres) co_await begin_postgres(stream, opening.bytes);
  opening = {};
  stream.traffic->bytes.left_to_right_bytes += record.bytes_from_client;

  // And everything else.
  const RelaySummary summary = co_await relay(network_.timers(), *stream.client, *stream.upstream,
                                              limits_.relay, &stream.traffic->bytes);
  record.end = stream_end_of(summary.end);
  record.bytes_from_client += summary.left_to_right_bytes;
  record.bytes_to_client = summary.right_to_left_bytes;
  if (summary.error) record.error = summary.error.message();
}

Task<std::expected<Opening, Refusal>> EdgeRouter::opening_of(LiveStream& stream) {
  const std::uint16_t port = stream.record.port;
  const bool has_default = routes_.port_default(port) != nullptr;
  if (stream.looks)
    co_return co_await read_opening(network_.timers(), *stream.client, stream.accepted, has_default,
                                    limits_.opening);
  // Where nothing is published any more the client is asked all the same, so that it gets the
  // answer for an unknown name.
  if (has_default && !routes_.names_published_on(port)) co_return Opening();
  if (!begin_undecided(stream))
    co_return std::unexpected(
        Refusal{.end = StreamEnd::too_many_of_client, .alert = {}, .why = "without ClientHello"});
  auto opening = co_await read_opening(network_.timers(), *stream.client, stream.accepted,
                                       has_default, limits_.opening);
  end_undecided(stream);
  co_return opening;
}

bool EdgeRouter::begin_undecided(LiveStream& stream) {
  if (!admission_.begin_undecided(stream.record.client.address)) return false;
  stream.undecided = undecided_.insert(undecided_.end(), &stream);
  if (undecided_.size() <= limits_.admission.undecided_max) return true;
  LiveStream& oldest = *undecided_.front();
  end_undecided(oldest);
  oldest.end_by_us(StreamEnd::given_up);
  return true;
}

void EdgeRouter::end_undecided(LiveStream& stream) {
  if (!stream.undecided) return;
  undecided_.erase(*stream.undecided);
  stream.undecided.reset();
  admission_.end_undecided(stream.record.client.address);
}

// The client was told to go ahead with TLS; the server at home is asked now, too.
Task<> EdgeRouter::begin_postgres(LiveStream& stream, Bytes hello) {
  stream.record.why = "the server at home did not agree to TLS";
  Task<> answering = read_postgres_answer(*stream.upstream);
  co_await with_timeout(network_.timers(), limits_.postgres_answer_time, std::move(answering));
  stream.record.why = {};
  co_await stream.upstream->write_all(hello);
}

// The first target that answers; none is not an exception. Returns how much of `first` it has.
Task<std::size_t> EdgeRouter::connect(LiveStream& stream, std::vector<RouteTarget> targets,
                                      Bytes first) {
  StreamRecord& record = stream.record;
  for (const RouteTarget& target : targets) {
    record.sidecar = target.sidecar;
    record.service = target.service;
    record.error.clear();
    std::size_t written = 0;
    error_code error;
    try {
      auto connected =
          co_await tunnel_.connect_saying(target.tunnel_address, limits_.connect_time, first);
      stream.upstream = std::move(connected.stream);
      written = connected.written_bytes;
      unreached_.on_reached(target.tunnel_address);
    } catch (const system_error& failure) {
      error = failure.code();
      record.error = error.message();
    }
    // It took the stream and ended it at once, as it does with clients that it does not serve. That
    // is an answer, and no reason to ask others or to doubt the sidecar.
    if (error == asio::error::connection_reset) {
      unreached_.on_reached(target.tunnel_address);
      record.end = StreamEnd::sidecar_broke;
      stream.client->abort();
      throw_error(error, "stream");
    }
    if (error && error != asio::error::operation_aborted)
      unreached_.on_failed(network_.timers().now(), target.tunnel_address);
    if (stream.ended_by_us) throw_error(asio::error::operation_aborted, "stream");
    if (stream.upstream) co_return written;
  }
  co_return 0;
}

Task<> EdgeRouter::refuse(LiveStream& stream, Refusal refusal) {
  stream.record.end = refusal.end;
  stream.record.why = refusal.why;
  if (!refusal.alert) {
    stream.client->abort();
    co_return;
  }
  // It fits into the socket's buffer, to which nothing was written before.
  const auto alert = serialize_tls_alert(*refusal.alert);
  co_await stream.client->write_all(alert);
  co_await close_in_order(network_.timers(), *stream.client, limits_.farewell);
}

// ---- the end ---------------------------------------------------------------------------------

void EdgeRouter::report(StreamRecord record) {
  ++counters_.ended.at(std::to_underlying(record.end));
  counters_.bytes_from_clients += record.bytes_from_client;
  counters_.bytes_to_clients += record.bytes_to_client;
  if (is_refusal(record.end)) {
    const auto untold = told_refusals_.take(network_.timers().now());
    if (!untold) return;
    record.untold_refusals = *untold;
  }
  callbacks_.on_stream_end(record);
}

std::size_t EdgeRouter::abort_streams_of(std::string_view sidecar) {
  std::size_t count = 0;
  for (LiveStream* stream : streams_) {
    if (stream->record.sidecar != sidecar) continue;
    stream->end_by_us(StreamEnd::cut);
    ++count;
  }
  return count;
}

std::size_t EdgeRouter::shed_newest(std::size_t count) {
  std::size_t ended = 0;
  for (auto stream = streams_.rbegin(); stream != streams_.rend() && ended < count; ++stream) {
    if ((*stream)->ended_by_us) continue;
    (*stream)->end_by_us(StreamEnd::shed);
    ++ended;
  }
  return ended;
}

std::size_t EdgeRouter::streams_of(std::string_view sidecar) const {
  return static_cast<std::size_t>(std::ranges::count_if(
      streams_, [&](const LiveStream* stream) { return stream->record.sidecar == sidecar; }));
}

Task<> EdgeRouter::drain(Duration time) {
  close_ports();
  const Instant deadline = network_.timers().now() + time;
  while (!streams_.empty() && network_.timers().now() < deadline) {
    Task<> ended = stream_ended_.wait();
    try {
      co_await with_deadline(network_.timers(), deadline, std::move(ended));
    } catch (const system_error& failure) {
      if (failure.code() != asio::error::timed_out) throw;
    }
  }
}

Task<> EdgeRouter::stop() {
  close_ports();
  co_await tasks_.stop();
}

RouterCounters EdgeRouter::counters() const {
  RouterCounters counters = counters_;
  counters.active = streams_.size();
  counters.undecided = undecided_.size();
  return counters;
}

}  // namespace sidestream::edge
