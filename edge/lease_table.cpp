#include "edge/lease_table.h"

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

#include "edge/lease_sentences.h"

namespace sidestream::edge {

using control::Endpoint;
using control::EndpointAnswer;
using control::EndpointState;
using control::Reason;
using control::Refusal;
using control::RefusalAnswer;
using control::WantedEndpoint;

LeaseTable::LeaseTable(std::uint64_t epoch, std::string version, const LeaseLimits& limits)
    : epoch_(epoch), version_(std::move(version)), limits_(limits) {}

void LeaseTable::set_sidecars(std::vector<AllowedSidecar> sidecars) {
  rules_.set_sidecars(sidecars);
  std::set<std::string, std::less<>> names;
  for (AllowedSidecar& allowed : sidecars) {
    if (!names.insert(allowed.name).second) continue;
    Sidecar& sidecar = sidecars_[allowed.name];
    if (sidecar.allowed.tunnel_address != allowed.tunnel_address) {
      end_session(sidecar, LeaseEvent::Kind::withdrawn);
    }
    sidecar.allowed = std::move(allowed);
  }
  for (auto at = sidecars_.begin(); at != sidecars_.end();) {
    if (names.contains(at->first)) {
      ++at;
      continue;
    }
    end_session(at->second, LeaseEvent::Kind::withdrawn);
    at = sidecars_.erase(at);
  }
  judge_all_again();
}

void LeaseTable::set_public_ports(std::vector<PortRange> ports) {
  rules_.set_public_ports(std::move(ports));
  judge_all_again();
}

void LeaseTable::on_port_open(std::uint16_t port) {
  ports_[port] = {.open = true, .failure = {}};
}
void LeaseTable::on_port_failed(std::uint16_t port, std::string why) {
  ports_[port] = {.open = false, .failure = std::move(why)};
}
void LeaseTable::on_port_closed(std::uint16_t port) {
  ports_.erase(port);
}

void LeaseTable::on_router_standing(RouterStanding standing) {
  ports_.clear();
  for (const auto& [port, why] : standing.ports) ports_[port] = {why.empty(), why};
  router_ = std::move(standing);
}

RefusalAnswer LeaseTable::refuse(Refusal refusal, const Sidecar* sidecar) const {
  return {refusal, explain(refusal, sidecar == nullptr ? "" : sidecar->current.instance)};
}

LeaseTable::Answered<control::SessionAnswer> LeaseTable::open_session(
    std::string_view name, const control::SessionRequest& request) {
  const auto found = sidecars_.find(name);
  if (found == sidecars_.end()) return std::unexpected(refuse(Refusal::unknown_sidecar, nullptr));
  if (request.protocol != control::protocol_version) {
    return std::unexpected(refuse(Refusal::unsupported_protocol, nullptr));
  }
  Sidecar& sidecar = found->second;
  sidecar.opened = {++last_session_, request.version, request.instance, request.run};
  sidecar.order.open(last_session_);
  const SessionId id{epoch_, last_session_};
  return control::SessionAnswer{id.text(), limits_.lease, version_, id.run_text()};
}

// Who speaks, in which session, in which order. Ends leases that are over first, so that a late
// message cannot renew one.
std::expected<LeaseTable::Sidecar*, RefusalAnswer> LeaseTable::admit(Instant now,
                                                                     std::string_view name,
                                                                     std::string_view session,
                                                                     std::uint64_t sequence,
                                                                     bool is_state) {
  handle_timeout(now);
  const auto found = sidecars_.find(name);
  if (found == sidecars_.end()) return std::unexpected(refuse(Refusal::unknown_sidecar, nullptr));
  Sidecar& sidecar = found->second;
  const std::optional<SessionId> id = SessionId::parse(session);
  if (!id || id->epoch != epoch_) return std::unexpected(refuse(Refusal::session_unknown, nullptr));
  if (const auto refusal = sidecar.order.check(id->number, sequence, is_state)) {
    return std::unexpected(refuse(*refusal, &sidecar));
  }
  if (sidecar.order.accept(id->number, sequence)) {
    const std::string before = std::exchange(sidecar.current, sidecar.opened).run;
    if (!before.empty() && before != sidecar.current.run)
      push({.kind = LeaseEvent::Kind::process_replaced,
            .sidecar = sidecar.allowed.name,
            .endpoint = {},
            .service = {},
            .sentence = {}});
    push({.kind = LeaseEvent::Kind::session_began,
          .sidecar = sidecar.allowed.name,
          .endpoint = {},
          .service = {},
          .sentence =
              "instance " + sidecar.current.instance + ", version " + sidecar.current.version});
  }
  return &sidecar;
}

LeaseTable::Answered<control::StateAnswer> LeaseTable::put_state(
    Instant now, std::string_view name, const control::StateRequest& request) {
  const auto admitted = admit(now, name, request.session, request.sequence, true);
  if (!admitted) return std::unexpected(admitted.error());
  Sidecar& sidecar = **admitted;
  replace_leases(sidecar, judge(sidecar, request.endpoints));
  take_bans(now, sidecar, request.bans);
  renew(sidecar, now);
  return state_answer(sidecar);
}

void LeaseTable::take_bans(Instant now, Sidecar& sidecar,
                           const std::vector<control::BannedNetwork>& bans) {
  sidecar.bans.clear();
  for (const control::BannedNetwork& one : bans) sidecar.bans.ban(now, one.network, one.left);
}

bool LeaseTable::is_banned(Instant now, std::string_view name, const IpAddress& client) const {
  const auto found = sidecars_.find(name);
  return honours_bans_ && found != sidecars_.end() && found->second.bans.covers(now, client);
}

control::StateAnswer LeaseTable::state_answer(const Sidecar& sidecar) const {
  return {sidecar.revision, limits_.lease, sidecar.answers,
          honours_bans_ ? sidecar.bans.size() : 0};
}

control::StateAnswer LeaseTable::latest_answer(std::string_view name) {
  const auto found = sidecars_.find(name);
  if (found == sidecars_.end()) return {};
  renew_answers(found->second);
  return state_answer(found->second);
}

LeaseTable::Answered<control::HeartbeatAnswer> LeaseTable::heartbeat(
    Instant now, std::string_view name, const control::HeartbeatRequest& request) {
  const auto admitted = admit(now, name, request.session, request.sequence, false);
  if (!admitted) return std::unexpected(admitted.error());
  Sidecar& sidecar = **admitted;
  renew(sidecar, now);
  if (request.round_trip) sidecar.round_trip = *request.round_trip;
  control::HeartbeatAnswer answer{sidecar.revision, limits_.lease, std::nullopt};
  if (request.revision != sidecar.revision) answer.endpoints = sidecar.answers;
  return answer;
}

void LeaseTable::renew(Sidecar& sidecar, Instant now) {
  sidecar.last_heartbeat = now;
  set_lease_end(sidecar, now + limits_.lease);
  renew_answers(sidecar);
}

void LeaseTable::renew_answers(Sidecar& sidecar) {
  std::vector<EndpointAnswer> current = answers(sidecar);
  if (sidecar.revision != 0 && current == sidecar.answers) return;
  sidecar.answers = std::move(current);
  sidecar.revision = ++last_revision_;
}

std::vector<LeaseTable::Lease> LeaseTable::judge(const Sidecar& sidecar,
                                                 const std::vector<WantedEndpoint>& wanted) const {
  std::vector<Lease> leases;
  leases.reserve(wanted.size());
  std::map<Endpoint, std::string_view> services;
  const std::string public_ports = rules_.public_ports_text();
  for (const WantedEndpoint& one : wanted) {
    Lease lease{.wanted = one, .endpoint = {}, .refusal = Reason::none, .sentence = {}};
    SentenceFacts facts{.sidecar = sidecar.allowed.name, .wanted = &one};
    facts.public_ports = public_ports;
    facts.endpoints_max = limits_.endpoints_per_sidecar;
    const auto endpoint = Endpoint::parse(one.endpoint);
    if (!endpoint) {
      lease.refusal = Reason::bad_endpoint;
      facts.detail = endpoint.error();
    } else if (const auto known = services.find(*endpoint); known != services.end()) {
      lease.refusal = Reason::duplicate;
      facts.other_service = known->second;
    } else {
      lease.endpoint = *endpoint;
      facts.port = endpoint->port;
      lease.refusal = services.size() >= limits_.endpoints_per_sidecar
                          ? Reason::too_many
                          : rules_.judge(sidecar.allowed.name, *endpoint).reason;
      if (lease.refusal != Reason::too_many) services.emplace(*endpoint, one.service);
    }
    if (lease.refusal != Reason::none) lease.sentence = explain(lease.refusal, facts);
    leases.push_back(std::move(lease));
  }
  return leases;
}

void LeaseTable::judge_all_again() {
  for (auto& [name, sidecar] : sidecars_) {
    std::vector<WantedEndpoint> wanted;
    wanted.reserve(sidecar.leases.size());
    for (const Lease& lease : sidecar.leases) wanted.push_back(lease.wanted);
    replace_leases(sidecar, judge(sidecar, wanted));
  }
  // What is kept from wildcards may have changed even where no lease has.
  ++route_revision_;
}

void LeaseTable::replace_leases(Sidecar& sidecar, std::vector<Lease> leases) {
  const std::string& name = sidecar.allowed.name;
  std::map<Endpoint, const Lease*> wanted;
  for (const Lease& lease : leases) {
    if (lease.refusal == Reason::none) wanted.emplace(*lease.endpoint, &lease);
  }
  std::set<std::pair<std::string_view, Reason>> refused_before;
  for (const Lease& lease : sidecar.leases) {
    if (lease.refusal != Reason::none) {
      refused_before.emplace(lease.wanted.endpoint, lease.refusal);
      continue;
    }
    if (wanted.contains(*lease.endpoint)) continue;
    const auto held = held_.find(*lease.endpoint);
    held->second.erase(name);
    if (held->second.empty()) held_.erase(held);
    ++route_revision_;
    push({LeaseEvent::Kind::withdrawn, name, lease.endpoint->text(), lease.wanted.service, {}});
  }
  for (const auto& [endpoint, lease] : wanted) {
    RouteTarget target{.sidecar = name,
                       .service = lease->wanted.service,
                       .tunnel_address = {sidecar.allowed.tunnel_address, lease->wanted.port},
                       .priority = lease->wanted.priority};
    const auto [place, is_new] = held_[endpoint].try_emplace(name, target);
    if (!is_new && place->second == target) continue;
    place->second = std::move(target);
    ++route_revision_;
    if (is_new) {
      push({LeaseEvent::Kind::published, name, endpoint.text(), lease->wanted.service, {}});
    }
  }
  for (const Lease& lease : leases) {
    if (lease.refusal == Reason::none) continue;
    if (refused_before.contains({lease.wanted.endpoint, lease.refusal})) continue;
    push({LeaseEvent::Kind::refused, name, lease.wanted.endpoint, lease.wanted.service,
          lease.sentence});
  }
  sidecar.leases = std::move(leases);
}

void LeaseTable::end_session(Sidecar& sidecar, LeaseEvent::Kind why) {
  if (!sidecar.order.active()) return;
  if (why == LeaseEvent::Kind::lease_expired && !sidecar.leases.empty()) {
    push({why, sidecar.allowed.name, {}, {}, {}});
  }
  replace_leases(sidecar, {});
  sidecar.bans.clear();
  sidecar.order.end();
  set_lease_end(sidecar, Instant::max());
  sidecar.round_trip.reset();
  sidecar.answers.clear();
  sidecar.revision = 0;
}

void LeaseTable::set_lease_end(Sidecar& sidecar, Instant end) {
  const std::string& name = sidecar.allowed.name;
  lease_ends_.erase({sidecar.lease_end, name});
  sidecar.lease_end = end;
  if (end != Instant::max()) lease_ends_.insert({end, name});
}

void LeaseTable::handle_timeout(Instant now) {
  while (!lease_ends_.empty() && lease_ends_.begin()->first <= now)
    end_session(sidecars_.find(lease_ends_.begin()->second)->second,
                LeaseEvent::Kind::lease_expired);
}

std::optional<Instant> LeaseTable::next_deadline() const {
  if (lease_ends_.empty()) return std::nullopt;
  return lease_ends_.begin()->first;
}

EndpointAnswer LeaseTable::answer(const Sidecar& sidecar, const Lease& lease) const {
  EndpointAnswer answer{.endpoint = lease.wanted.endpoint,
                        .state = EndpointState::refused,
                        .reason = lease.refusal,
                        .sentence = lease.sentence};
  if (lease.refusal != Reason::none) return answer;

  SentenceFacts facts{.sidecar = sidecar.allowed.name, .wanted = &lease.wanted};
  facts.port = lease.endpoint->port;
  facts.other_priority = lease.wanted.priority;
  for (const auto& [name, target] : held_.at(*lease.endpoint)) {
    facts.other_priority = std::max(facts.other_priority, target.priority);
  }
  const auto port = ports_.find(lease.endpoint->port);
  if (router_ && !router_->problem.empty() && !router_->held.contains(*lease.endpoint)) {
    answer.reason = Reason::router_behind;
    facts.detail = router_->problem;
  } else if (port == ports_.end()) {
    answer.reason = Reason::listener_opening;
  } else if (!port->second.open) {
    answer.reason = Reason::listener_failed;
    facts.detail = port->second.failure;
  } else if (router_ && !router_->held.contains(*lease.endpoint)) {
    answer.reason = Reason::router_behind;
  } else if (facts.other_priority > lease.wanted.priority) {
    answer.reason = Reason::standby;
  }
  answer.state = answer.reason == Reason::none ? EndpointState::granted : EndpointState::waiting;
  answer.sentence = explain(answer.reason, facts);
  return answer;
}

std::vector<EndpointAnswer> LeaseTable::answers(const Sidecar& sidecar) const {
  std::vector<EndpointAnswer> all;
  all.reserve(sidecar.leases.size());
  for (const Lease& lease : sidecar.leases) all.push_back(answer(sidecar, lease));
  return all;
}

std::vector<Route> LeaseTable::routes() const {
  std::map<Endpoint, std::vector<RouteTarget>> all;
  for (const auto& [endpoint, targets] : held_) {
    std::vector<RouteTarget>& ordered = all[endpoint];
    std::vector<std::string> names;
    for (const auto& [name, target] : targets) {
      ordered.push_back(target);
      names.push_back(name);
    }
    std::ranges::sort(ordered, [](const RouteTarget& left, const RouteTarget& right) {
      return std::tie(right.priority, left.sidecar) < std::tie(left.priority, right.sidecar);
    });
    for (const Endpoint& kept : rules_.kept_from(endpoint, names)) all.try_emplace(kept);
  }
  std::vector<Route> list;
  list.reserve(all.size());
  for (auto& [endpoint, targets] : all) list.push_back({endpoint, std::move(targets)});
  return list;
}

std::vector<SidecarStanding> LeaseTable::standings() const {
  std::vector<SidecarStanding> list;
  for (const auto& [name, sidecar] : sidecars_) {
    SidecarStanding standing{.name = name,
                             .tunnel_address = sidecar.allowed.tunnel_address,
                             .present = sidecar.order.active(),
                             .version = sidecar.current.version,
                             .instance = sidecar.current.instance,
                             .last_heartbeat = sidecar.last_heartbeat,
                             .round_trip = sidecar.round_trip,
                             .endpoints = {}};
    for (const Lease& lease : sidecar.leases) {
      standing.endpoints.push_back({lease.wanted, answer(sidecar, lease)});
    }
    list.push_back(std::move(standing));
  }
  return list;
}

std::optional<LeaseEvent> LeaseTable::poll_event() {
  if (events_.empty()) return std::nullopt;
  LeaseEvent event = std::move(events_.front());
  events_.pop_front();
  return event;
}

void LeaseTable::push(LeaseEvent event) {
  if (events_.size() == limits_.events_max) events_.pop_front();
  events_.push_back(std::move(event));
}

}  // namespace sidestream::edge
