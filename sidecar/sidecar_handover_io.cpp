// How a sidecar goes over from one process to the next.
#include <algorithm>
#include <utility>

#include "sidecar/sidecar_io.h"

namespace sidestream::sidecar {
namespace {

constexpr Duration look_again = 200ms;
constexpr Duration told_every = 1min;

}  // namespace

// ---- the process that hands over ---------------------------------------------------------------

std::expected<Sidecar::Offer, std::string> Sidecar::offer_handover() {
  if (stopping_) return std::unexpected("the running sidecar stops");
  if (handing_over_ || handed_over_) return std::unexpected("another process takes over already");
  if (std::ranges::any_of(links_, [](const auto& link) { return link->leaving; }))
    return std::unexpected(
        "the running sidecar is about to leave an edge; try again when its streams are over");
  for (const auto& link : links_)
    if (const std::string why = link->link->tunnel().handover_obstacle(); !why.empty())
      return std::unexpected(why);
  Offer offer;
  for (const auto& service : services_)
    offer.facts.services.push_back({service->configuration().name, service->tunnel_port()});
  for (const auto& service : retired_) offer.facts.services.push_back({"", service->tunnel_port()});
  try {
    for (const auto& link : links_) {
      offer.facts.links.push_back({.id = link_id(link->entry),
                                   .edge = link->entry.name(),
                                   .outer = link->link->tunnel().outer_address(),
                                   .run = link->link->run_id()});
      link->link->offer_handover(descriptor_prefix(link_id(link->entry)), offer.descriptors);
    }
  } catch (const system_error& error) {
    call_off_handover();
    return std::unexpected("the running sidecar has no descriptors left: " +
                           error.code().message());
  }
  handing_over_ = true;
  return offer;
}

SidecarHandover Sidecar::freeze_handover() {
  SidecarHandover handover;
  for (const auto& link : links_) {
    handover.links.push_back(link->link->freeze_handover());
    handover.links.back().id = link_id(link->entry);
  }
  for (const auto& service : services_)
    for (std::size_t i = 0; i < service->backends().size(); ++i)
      if (service->backends().health(i).state() == HealthJudge::State::healthy)
        handover.healthy.push_back({service->configuration().name, service->backends().name(i)});
  return handover;
}

void Sidecar::call_off_handover() {
  handing_over_ = false;
  for (const auto& link : links_) link->link->call_off_handover();
  if (discovery_) take_over_labels();  // what has changed meanwhile
}

void Sidecar::commit_handover() {
  handing_over_ = false;
  handed_over_ = true;
  for (const auto& service : services_) service->retire();
  for (const auto& link : links_) link->link->commit_handover();
  log_.info("handed over to another process", {{"streams", std::uint64_t{live_streams()}}});
  stop_wanted_.notify_all();
}

std::size_t Sidecar::live_streams() const {
  std::size_t streams = 0;
  for (const auto& link : links_)
    streams += std::max(link->link->streams(), link->link->tunnel_connections());
  return streams;
}

// Until the last stream is over, with all that it has sent, or somebody stops us.
Task<> Sidecar::live_on() {
  Instant told = network_.timers().now();
  while (!stopping_ && live_streams() > 0) {
    co_await network_.timers().sleep_for(look_again);
    for (const auto& link : links_)
      if (link->link->finish_wanted()) co_await link->link->end_streams();
    if (network_.timers().now() < told + told_every) continue;
    told = network_.timers().now();
    log_.info("streams go on after the hand-over", {{"streams", std::uint64_t{live_streams()}}});
  }
  if (!stopping_) log_.info("the last stream after the hand-over has ended");
}

// ---- the process that takes over ---------------------------------------------------------------

// What the process before has published stays published until we say something, so that there is
// time to hear of the containers first.
Task<> Sidecar::publish_without_labels() {
  constexpr Duration time_for_labels = 4s;  // a lease lives twice as long
  co_await network_.timers().sleep_for(time_for_labels);
  healthy_before_.clear();  // of that time
  publish_now();
}

void Sidecar::publish_now() {
  for (const auto& link : links_) link->link->publish_now();
}

std::string Sidecar::descriptor_prefix(const std::string& id) {
  return id + ' ';
}

void Sidecar::go_on(const SidecarHandover& handover, const tunnel::PredecessorFacts& from,
                    control::NamedDescriptors& descriptors) {
  for (const SidecarHandover::Link& one : handover.links) {
    const auto link = std::ranges::find_if(
        links_, [&](const auto& known) { return link_id(known->entry) == one.id; });
    if (link != links_.end())
      (*link)->link->take_over(one, from, descriptor_prefix(one.id), descriptors);
  }
  load_bans();  // that were made while we started
  tell_bans();
  healthy_before_ = handover.healthy;
  for (const auto& service : services_) adopt_health(*service);
  for (const auto& link : links_) {
    link->link->services_changed();
    if (discovery_) link->link->hold_publishing();
  }
  if (!discovery_) healthy_before_.clear();
  std::size_t streams = 0;
  for (const SidecarHandover::Link& one : handover.links) streams += one.tunnel.connections.size();
  log_.info(
      "taken over",
      {{"process", from.process}, {"version", from.version}, {"streams", std::uint64_t{streams}}});
}

// A process before us has streams at each edge.
void Sidecar::add_predecessors(control::SidecarStatus& status) const {
  for (const auto& link : links_) {
    for (control::PredecessorStatus& one :
         control::status_of(link->link->tunnel().predecessors())) {
      const auto known =
          std::ranges::find(status.predecessors, one.process, &control::PredecessorStatus::process);
      if (known == status.predecessors.end())
        status.predecessors.push_back(std::move(one));
      else
        known->streams += one.streams;
    }
  }
}

}  // namespace sidestream::sidecar
