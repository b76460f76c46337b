// How an edge goes over from one process to the next.
#include <fcntl.h>

#include <algorithm>
#include <utility>

#include "edge/edge_io.h"
#include "streams/join_io.h"

namespace sidestream::edge {
namespace {

constexpr Duration look_again = 200ms;
constexpr Duration told_every = 1min;

UniqueFd copy_of(int fd) {
  UniqueFd copy(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
  if (!copy) throw_error(last_system_error(), "dup");
  return copy;
}

}  // namespace

EdgeIdentity Edge::identity() const {
  return {.public_key = tunnel_.public_key().text(),
          .tunnel_address = tunnel_.address().text(),
          .listen = settings_.tunnel.listen.text(),
          .public_address = settings_.public_address.text()};
}

std::string Edge::listener_name(std::uint16_t port) {
  return "listener " + std::to_string(port);
}

// ---- the process that hands over ---------------------------------------------------------------

std::expected<Edge::Offer, std::string> Edge::offer_handover() {
  if (stopping_) return std::unexpected("the running edge stops");
  if (handing_over() || handed_over_) return std::unexpected("another process takes over already");
  if (const std::string why = tunnel_.handover_obstacle(); !why.empty())
    return std::unexpected(why);
  Offer offer{.identity = identity(), .descriptors = {}};
  try {
    for (const auto& [port, fd] : accepting_->listeners())
      offer.descriptors[listener_name(port)] = copy_of(fd);
    handover_link_ = control::offer_tunnel(tunnel_, network_.executor(), "", offer.descriptors);
  } catch (const system_error& error) {
    return std::unexpected("the running edge has no descriptors left: " + error.code().message());
  }
  return offer;
}

EdgeHandover Edge::freeze_handover() {
  tunnel_.pause();
  EdgeHandover handover;
  handover.leases = leases_.succession();
  for (const auto& [name, peer] : peers_) {
    const auto status = tunnel_.peer_status(peer);
    if (status && status->endpoint)
      handover.endpoints.push_back({name, *status->endpoint, tunnel_.local_address(peer)});
  }
  handover.open_ports = accepting_->open_ports();
  handover.tunnel = control::describe_tunnel(tunnel_);
  return handover;
}

void Edge::call_off_handover() {
  handover_link_.reset();
  tunnel_.resume();
}

void Edge::commit_handover() {
  accepting_->close();
  router_.close_ports();
  tunnel_.hand_over(std::move(handover_link_), [this] {
    settings_.drain_time = Duration::zero();
    stop();
  });
  handed_over_ = true;
  log_.info("handed over to another process",
            {{"streams", std::uint64_t{router_.counters().active}}});
  end_wanted_.notify_all();
}

Task<> Edge::wait_handed_over() {
  while (!handed_over_) co_await end_wanted_.wait();
}

// Until the last stream is over, with all that it has sent, or somebody stops us.
Task<> Edge::live_on() {
  Instant told = network_.timers().now();
  while (!stopping_ && router_.counters().active + tunnel_.connection_count() > 0) {
    co_await network_.timers().sleep_for(look_again);
    if (network_.timers().now() < told + told_every) continue;
    told = network_.timers().now();
    log_.info("streams go on after the hand-over",
              {{"streams", std::uint64_t{router_.counters().active}}});
  }
  if (!stopping_) log_.info("the last stream after the hand-over has ended");
}

// ---- the process that takes over ---------------------------------------------------------------

void Edge::take_over(const EdgeHandover& handover, const tunnel::PredecessorFacts& from,
                     control::NamedDescriptors& descriptors) {
  control::adopt_streams(tunnel_, network_.executor(), handover.tunnel, from, "", descriptors);
  tunnel_.predecessors().on_end([this](const tunnel::PredecessorFacts& facts) {
    log_.info("a process before this one has ended", {{"process", facts.process}});
  });
  for (const EdgeHandover::Endpoint& endpoint : handover.endpoints) {
    const auto peer = peers_.find(endpoint.sidecar);
    if (peer == peers_.end()) continue;
    endpoints_.set(endpoint.sidecar, {endpoint.address, endpoint.local});
    tunnel_.set_endpoint(peer->second, endpoint.address, endpoint.local);
  }
  leases_.continue_from(network_.timers().now(), handover.leases);
}

void Edge::go_on(const EdgeHandover& handover, const tunnel::PredecessorFacts& from) {
  std::vector<std::uint16_t> ports = handover.open_ports;
  std::erase_if(ports, [this](std::uint16_t port) { return !is_public(port); });
  accepting_->go_on(ports);
  log_.info("taken over", {{"process", from.process},
                           {"version", from.version},
                           {"streams", std::uint64_t{handover.tunnel.connections.size()}}});
  handle_leases();
}

}  // namespace sidestream::edge
