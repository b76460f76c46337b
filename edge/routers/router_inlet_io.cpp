#include "edge/routers/router_inlet_io.h"

#include <algorithm>
#include <utility>

#include "streams/listen_failure.h"
#include "streams/readdressed_stream_io.h"

namespace sidestream::edge {
namespace {

constexpr Duration refusal_told_every = 10s;

}  // namespace

RouterInlet::RouterInlet(Network& network, EdgeRouter& streams, RouterInletSettings settings,
                         const Log& log, const RouterInletLimits& limits)
    : network_(network),
      streams_(streams),
      settings_(std::move(settings)),
      log_(log.at_most_every(refusal_told_every)),
      limits_(limits),
      tasks_(network.executor()) {}

std::expected<void, std::string> RouterInlet::open() {
  if (listener_) return {};
  try {
    listener_ = settings_.unix_path.empty()
                    ? network_.listen(settings_.listen, {})
                    : network_.listen_unix(settings_.unix_path, limits_.socket_mode);
  } catch (const system_error& failure) {
    return std::unexpected("the edge cannot listen on " + settings_.text() +
                           ", where the router hands streams over: " +
                           explain_listen_failure(failure.code(), settings_.listen.port));
  }
  return {};
}

std::map<std::uint16_t, int> RouterInlet::listeners() const {
  const int fd = listener_ ? listener_->descriptor() : -1;
  if (fd < 0 || !settings_.unix_path.empty()) return {};
  return {{settings_.listen.port, fd}};
}

Task<> RouterInlet::run() {
  for (;;) {
    std::unique_ptr<Stream> stream;
    error_code error;
    try {
      stream = co_await listener_->accept();
    } catch (const system_error& failure) {
      error = failure.code();
    }
    if (error == asio::error::operation_aborted) throw_error(error, "accept");
    if (error) {
      log_.error("accepting from the router failed", {{"error", error.message()}});
      co_await network_.timers().sleep_for(limits_.accept_pause);
      continue;
    }
    if (!may_hand_over(*stream) || tasks_.size() >= limits_.unintroduced_max) {
      log_.warn("a stream was refused that is not the router's",
                {{"from", stream->remote_address().text()}});
      stream->abort();
      continue;
    }
    tasks_.spawn(introduce(std::move(stream)), [](const std::exception_ptr&) {});
  }
}

bool RouterInlet::may_hand_over(const Stream& stream) const {
  if (!settings_.unix_path.empty()) return true;
  const IpAddress address = stream.remote_address().address.unmapped();
  return std::ranges::any_of(settings_.from,
                             [&](const IpPrefix& prefix) { return prefix.contains(address); });
}

Task<> RouterInlet::introduce(std::unique_ptr<Stream> stream) {
  auto introduction = co_await read_introduction(network_, std::move(stream), limits_.introduction);
  if (!introduction) {
    if (!introduction.error().empty())  // and no health check
      log_.warn("a stream from the router was refused", {{"why", introduction.error()}});
    co_return;
  }
  const ProxyHeader& header = introduction->header;
  if (!header.source || !header.destination) {
    log_.warn("a stream from the router was refused",
              {{"why", "its PROXY header has no addresses, so its port is not known"}});
    introduction->stream->abort();
    co_return;
  }
  streams_.take(std::make_unique<ReaddressedStream>(std::move(introduction->stream),
                                                    *header.destination, *header.source),
                header.destination->port);
}

void RouterInlet::close() {
  if (listener_) listener_->close();
}

Task<> RouterInlet::stop() {
  close();
  co_await tasks_.stop();
}

}  // namespace sidestream::edge
