// The public ports of the edge: where clients are accepted.
#include <utility>

#include "edge/edge_router_io.h"

namespace sidestream::edge {

std::expected<void, error_code> EdgeRouter::open_port(std::uint16_t port) {
  if (is_open(port)) return {};
  std::unique_ptr<Listener> listener;
  try {
    listener = network_.listen({address_, port}, ListenOptions{});
  } catch (const system_error& failure) {
    return std::unexpected(failure.code());
  }
  ports_[port] = listener.get();
  tasks_.spawn(accept_streams(std::move(listener), port),
               [this, port](const std::exception_ptr& failure) {
                 ports_.erase(port);  // is_open() tells the truth
                 note_accept_failure(port, code_of(failure));
               });
  return {};
}

void EdgeRouter::close_port(std::uint16_t port) {
  const auto open = ports_.find(port);
  if (open == ports_.end()) return;
  open->second->close();
  ports_.erase(open);
}

void EdgeRouter::close_ports() {
  while (!ports_.empty()) close_port(ports_.begin()->first);
}

std::map<std::uint16_t, int> EdgeRouter::listeners() const {
  std::map<std::uint16_t, int> descriptors;
  for (const auto& [port, listener] : ports_)
    if (const int fd = listener->descriptor(); fd >= 0) descriptors[port] = fd;
  return descriptors;
}

Task<> EdgeRouter::accept_streams(std::unique_ptr<Listener> listener, std::uint16_t port) {
  for (;;) {
    std::unique_ptr<Stream> client;
    error_code error;
    try {
      client = co_await listener->accept();
    } catch (const system_error& failure) {
      error = failure.code();
    }
    if (client) {
      admit(std::move(client), port);
      continue;
    }
    if (error == asio::error::operation_aborted) {  // the port was closed, by us or under our feet
      if (const auto open = ports_.find(port);
          open != ports_.end() && open->second == listener.get())
        ports_.erase(open);
      co_return;
    }
    note_accept_failure(port, error);
    co_await network_.timers().sleep_for(limits_.accept_pause);
  }
}

void EdgeRouter::note_accept_failure(std::uint16_t port, error_code error) {
  ++counters_.accept_failures;
  const Instant now = network_.timers().now();
  if (accept_failure_told_ && now < *accept_failure_told_ + limits_.accept_failure_told_every)
    return;
  accept_failure_told_ = now;
  callbacks_.on_accept_failed(port, error);
}

}  // namespace sidestream::edge
