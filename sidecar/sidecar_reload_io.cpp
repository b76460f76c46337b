// Services and edges that come and go while the sidecar runs.
#include <algorithm>
#include <utility>

#include "sidecar/sidecar_io.h"
#include "streams/join_io.h"

namespace sidestream::sidecar {
namespace {

// Streams that an edge sent before it heard of a change have arrived by then, and their
// introduction is over.
constexpr Duration late_streams = 15s;

bool probes_alike(const ServiceConfiguration& one, const ServiceConfiguration& other) {
  return one.health == other.health && one.backend_tls == other.backend_tls;
}

}  // namespace

void Sidecar::spawn(Task<> task) {
  tasks_.spawn(std::move(task), [this](const std::exception_ptr& failure) {
    failure_ = failure;
    failed_.notify_all();
  });
}

// Of what was taken over each service keeps its port, and nobody gets that of another one: streams
// come there until the edge has heard of the change.
std::uint16_t Sidecar::port_for_service(const std::string& name) const {
  const auto is_taken = [](const auto& services, std::uint16_t port) {
    return std::ranges::any_of(
        services, [port](const auto& service) { return service->tunnel_port() == port; });
  };
  static const std::vector<SidecarOffer::ServicePort> none;
  const auto& before = settings_.before ? settings_.before->services : none;
  for (const SidecarOffer::ServicePort& one : before)
    if (one.service == name && !is_taken(services_, one.port) && !is_taken(retired_, one.port))
      return one.port;
  std::uint16_t port = first_service_port;
  while (is_taken(services_, port) || is_taken(retired_, port) ||
         std::ranges::find(before, port, &SidecarOffer::ServicePort::port) != before.end())
    ++port;
  return port;
}

void Sidecar::add_service(ServiceConfiguration configuration) {
  const std::uint16_t port = port_for_service(configuration.name);
  services_.push_back(std::make_unique<Service>(
      network_, std::move(configuration), port,
      CertificateStore{
          .read_file = settings_.read_file,
          .read_secret_file = settings_.read_secret_file,
          .state = state_,
          .acme = acme_.get(),
          .acme_directory = acme_settings_.directory,
          .published = [this](const ServiceConfiguration& one) { return is_published(one); },
          .obtained =
              [this](const std::string& account) {
                log_.info("certificate obtained", {{"account", account}});
              }},
      Service::Callbacks{
          .health_changed = [this](const Service& one,
                                   std::size_t backend) { handle_health(one, backend); },
          .stream_ended = [this](const ServedStream& stream) { tell(stream); },
          .certificate_changed = [this](const Service& one) { handle_certificate(one); },
          .is_banned = [this](const IpAddress& client) { return is_banned(client); }}));
  adopt_health(*services_.back());
}

std::string Sidecar::backends_text(const ServiceConfiguration& configuration) {
  std::string text;
  for (const Backend& backend : configuration.backends)
    text += (text.empty() ? "" : ", ") + backend.address.text();
  return text;
}

// The verdict of the process before us on the same backends.
void Sidecar::adopt_health(Service& service) const {
  for (std::size_t i = 0; i < service.backends().size(); ++i) {
    const SidecarHandover::Healthy found{service.configuration().name, service.backends().name(i)};
    if (std::ranges::find(healthy_before_, found) != healthy_before_.end())
      service.backends().adopt_healthy(i);
  }
}

// Without a folder for what it gets there is no asking.
void Sidecar::make_acme_client() {
  if (state_ == nullptr) return;
  std::optional<std::string> authorities;
  if (!acme_settings_.ca.empty()) {
    auto read = settings_.read_file(acme_settings_.ca);
    authorities = read.value_or("");  // which the client tells as a problem
  }
  acme_ = std::make_unique<AcmeClient>(network_, acme_settings_, *state_, std::move(authorities));
}

// Where the authority looks with http-01, as a service like others.
void Sidecar::add_responder(SidecarConfiguration& configuration) const {
  if (!acme_ || acme_->responder() == nullptr) return;
  ServiceConfiguration service;
  service.name = "acme-http-01";
  service.publish = {{.name = std::nullopt, .port = SidecarConfiguration::http_port}};
  service.backends = {Backend{.address = acme_->responder()->address()}};
  service.health.kind = HealthKind::none;
  configuration.services.push_back(std::move(service));
}

bool Sidecar::is_published(const ServiceConfiguration& service) const {
  std::vector<control::Endpoint> wanted = service.publish;
  std::erase_if(wanted, [](const control::Endpoint& one) { return !one.name; });
  if (acme_->responder() != nullptr)
    wanted.push_back({.name = std::nullopt, .port = SidecarConfiguration::http_port});
  return std::ranges::all_of(wanted, [this](const control::Endpoint& endpoint) {
    return std::ranges::any_of(links_, [&](const auto& link) {
      return std::ranges::any_of(link->link->standing().answers,
                                 [&](const control::EndpointAnswer& answer) {
                                   return answer.endpoint == endpoint.text() &&
                                          answer.state == control::EndpointState::granted;
                                 });
    });
  });
}

void Sidecar::begin_watching(Service& service) {
  spawn(service.watch_health());
  spawn(service.keep_certificate());
}

// ---- edges -------------------------------------------------------------------------------------

Task<> Sidecar::run_link(Link& link) {
  keep_timestamp(link, first_timestamp(link));
  Task<> running = link.link->run();
  Task<> leaving = drain_link(link);
  co_await first_of(std::move(running), std::move(leaving));
  if (stopping_) co_return;  // somebody else looks at it
  std::erase_if(links_, [&link](const auto& one) { return one.get() == &link; });
}

Task<> Sidecar::drain_link(Link& link) {
  while (!link.leaving) co_await link.leaving_changed.wait();
  co_await leave(link);
}

// Withdraws, and lets live streams end by themselves for the drain time.
Task<> Sidecar::leave(Link& link) {
  constexpr Duration look_again = 100ms;
  co_await link.link->withdraw();
  const Instant deadline = network_.timers().now() + settings_.drain_time;
  while (!link.hurried && link.link->streams_with_predecessors() > 0 &&
         network_.timers().now() < deadline)
    co_await network_.timers().sleep_for(look_again);
  co_await link.link->end_streams();
}

// All of them or, when a socket cannot be opened, none.
void Sidecar::add_links(const std::vector<EdgeEntry>& edges) {
  const std::size_t count_before = links_.size();
  try {
    for (const EdgeEntry& entry : edges) {
      const bool known = std::ranges::any_of(
          links_, [&](const auto& link) { return !link->leaving && link->entry == entry; });
      if (!known) add_link(entry);
    }
  } catch (const system_error&) {
    links_.resize(count_before);
    throw;
  }
  if (count_before < links_.size()) tell_bans();
  for (std::size_t i = count_before; i < links_.size(); ++i) spawn(run_link(*links_[i]));
}

// ---- services ----------------------------------------------------------------------------------

Task<> Sidecar::bury(Service& service) {
  co_await network_.timers().sleep_for(late_streams);
  for (const auto& link : links_) link->link->drop_service(service);
  do {
    co_await network_.timers().sleep_for(late_streams);
  } while (service.streams() > 0 || service.watching());
  for (const auto& living : services_)
    if (living->configuration().name == service.configuration().name)
      living->adopt_counters(service);
  std::erase_if(retired_, [&service](const auto& one) { return one.get() == &service; });
}

void Sidecar::retire_services(const SidecarConfiguration& configuration) {
  for (auto place = services_.begin(); place != services_.end();) {
    Service& service = **place;
    if (std::ranges::find(configuration.services, service.configuration()) !=
        configuration.services.end()) {
      ++place;
      continue;
    }
    log_.info("service no longer as it was", {{"service", service.configuration().name},
                                              {"streams", std::uint64_t{service.streams()}}});
    service.retire();
    retired_.push_back(std::move(*place));
    place = services_.erase(place);
    spawn(bury(service));
  }
}

void Sidecar::begin_service(const ServiceConfiguration& configuration) {
  add_service(configuration);
  Service& service = *services_.back();
  const auto before = std::ranges::find_if(retired_, [&](const auto& one) {
    return one->configuration().name == configuration.name &&
           probes_alike(one->configuration(), configuration);
  });
  if (before != retired_.end()) service.adopt_health(**before);
  for (const auto& link : links_) link->link->add_service(service);
  begin_watching(service);
}

std::vector<std::string> Sidecar::reload(SidecarConfiguration configuration) {
  add_links(configuration.edges);
  std::vector<std::string> after_restart =
      control::keys_for_restart(program_settings_, configuration.program);
  if (configuration.tunnel != tunnel_settings_) after_restart.emplace_back("tunnel");
  if (configuration.docker != docker_) after_restart.emplace_back("docker");
  if (configuration.acme != acme_settings_) after_restart.emplace_back("acme");
  settings_.drain_time = configuration.program.grace;
  written_ = std::move(configuration);
  take_over(with_labels());
  // Files may have been replaced; whoever asks for a reload does not want to wait. Containers that
  // come and go ask for nothing: an authority's limits are for all attempts together.
  for (const auto& service : services_) service->hurry();
  return after_restart;
}

SidecarConfiguration Sidecar::with_labels() {
  SidecarConfiguration all = written_;
  add_responder(all);
  if (!discovery_) return all;
  for (ServiceConfiguration& service : discovery_->services(all.services))
    all.services.push_back(std::move(service));
  return all;
}

void Sidecar::take_over_labels() {
  if (stopping_ || handing_over_ || handed_over_) return;
  const SidecarConfiguration all = with_labels();
  const bool same = std::ranges::equal(
      services_, all.services,
      [](const auto& one, const auto& other) { return one->configuration() == other; });
  if (!same) take_over(all);
  publish_now();
}

// Its edges have their links.
void Sidecar::take_over(const SidecarConfiguration& configuration) {
  retire_services(configuration);
  const auto place_of = [&](const ServiceConfiguration& wanted) {
    return std::ranges::find_if(services_,
                                [&](const auto& one) { return one->configuration() == wanted; });
  };
  for (const ServiceConfiguration& wanted : configuration.services)
    if (place_of(wanted) == services_.end()) begin_service(wanted);
  for (std::size_t i = 0; i < configuration.services.size(); ++i)
    std::iter_swap(services_.begin() + static_cast<std::ptrdiff_t>(i),
                   place_of(configuration.services[i]));

  for (const auto& link : links_) {
    const bool stays = std::ranges::any_of(
        configuration.edges, [&](const EdgeEntry& entry) { return entry == link->entry; });
    if (stays || link->leaving) continue;
    log_.info("edge no longer as it was", {{"edge", link->link->configuration().name}});
    link->hurried = std::ranges::any_of(configuration.edges, [&](const EdgeEntry& entry) {
      return entry.own_public_key == link->entry.own_public_key;
    });
    link->leaving = true;
    link->leaving_changed.notify_all();
  }
  for (const auto& link : links_) link->link->services_changed();
}

}  // namespace sidestream::sidecar
