#include "sidecar/service_reader.h"

#include <algorithm>
#include <array>
#include <map>
#include <string_view>
#include <utility>

#include "control/configuration_values.h"
#include "sidecar/tls_reader.h"
#include "streams/message_text.h"

namespace sidestream::sidecar {
namespace {

constexpr std::int64_t priority_max = 1000;
constexpr std::int64_t health_count_max = 100;
constexpr std::size_t endpoints_of_service_max = 100;
constexpr std::int64_t service_limit_max = 1'000'000;

constexpr std::array<std::pair<std::string_view, TlsMode>, 3> tls_words{
    {{"passthrough", TlsMode::passthrough},
     {"terminate", TlsMode::terminate},
     {"off", TlsMode::off}}};
constexpr std::array<std::pair<std::string_view, ProxyProtocol>, 3> proxy_protocol_words{
    {{"off", ProxyProtocol::off}, {"v1", ProxyProtocol::v1}, {"v2", ProxyProtocol::v2}}};
constexpr std::array<std::pair<std::string_view, Balance>, 3> balance_words{
    {{"failover", Balance::failover},
     {"round_robin", Balance::round_robin},
     {"least_streams", Balance::least_streams}}};
constexpr std::array<std::pair<std::string_view, HealthKind>, 5> health_words{
    {{"tcp", HealthKind::tcp},
     {"tls", HealthKind::tls},
     {"ssh", HealthKind::ssh},
     {"electrum", HealthKind::electrum},
     {"none", HealthKind::none}}};

// Where an endpoint was published first.
struct Claim {
  std::string path;
  std::string place;
};
using Claims = std::map<control::Endpoint, Claim>;

std::vector<control::Endpoint> read_publish(const ConfigurationValue& value, Claims& claims) {
  std::vector<control::Endpoint> endpoints;
  for (const ConfigurationValue& item : value.list(endpoints_of_service_max)) {
    auto endpoint = control::read_parsed<control::Endpoint>(item);
    if (!endpoint) continue;
    const auto [claim, is_first] =
        claims.try_emplace(*endpoint, Claim{item.path(), item.place().text()});
    if (!is_first) {
      item.fail(in_quotes(endpoint->text()) + " is published already, by " + claim->second.path +
                " (" + claim->second.place + "); remove one of the two");
      continue;
    }
    endpoints.push_back(std::move(*endpoint));
  }
  return endpoints;
}

std::optional<Backend> read_backend(const ConfigurationValue& item) {
  if (!item.is_section()) {
    auto address = control::read_parsed<BackendAddress>(item);
    return address ? std::optional(Backend{.address = std::move(*address)}) : std::nullopt;
  }
  ConfigurationSection section(item, "{address: HOST:PORT, weight: 3}");
  Backend backend;
  std::optional<BackendAddress> address;
  if (const auto text = section.require("address", "address: HOST:PORT"))
    address = control::read_parsed<BackendAddress>(*text);
  if (const auto weight = section.find("weight"))
    backend.weight = static_cast<unsigned>(
        weight->integer(1, BackendChoiceLimits::weight_max).value_or(backend.weight));
  section.finish();
  if (!address) return std::nullopt;
  backend.address = std::move(*address);
  return backend;
}

std::vector<Backend> read_backends(const ConfigurationValue& value) {
  std::vector<Backend> backends;
  for (const ConfigurationValue& item : value.list(SidecarConfiguration::backends_max)) {
    auto backend = read_backend(item);
    if (!backend) continue;
    if (std::ranges::find(backends, backend->address, &Backend::address) != backends.end())
      item.fail(in_quotes(backend->address.text()) +
                " is in the list twice; remove one of the two");
    else
      backends.push_back(std::move(*backend));
  }
  return backends;
}

BackendChoiceSettings read_choice(ConfigurationSection& service,
                                  const std::vector<Backend>& backends) {
  BackendChoiceSettings choice;
  if (const auto balance = service.find("balance"))
    choice.balance = balance->choice(balance_words).value_or(choice.balance);
  if (choice.balance == Balance::failover) {
    const std::string_view why =
        "counts only where backends share the streams; add `balance: round_robin` or "
        "`balance: least_streams`, or remove it";
    service.refuse("slow_start", why);
    if (std::ranges::any_of(backends, [](const Backend& one) { return one.weight != 1; }))
      service.value().fail("a weight " + std::string(why));
    return choice;
  }
  if (const auto slow_start = service.find("slow_start"))
    choice.slow_start = slow_start->duration(0s, 10min).value_or(choice.slow_start);
  return choice;
}

std::optional<TlsMode> read_tls(const ConfigurationValue& value,
                                const std::vector<control::Endpoint>& publish) {
  const auto mode = value.choice(tls_words);
  if (mode != TlsMode::off) return mode;
  const auto named =
      std::ranges::find_if(publish, [](const auto& endpoint) { return endpoint.name.has_value(); });
  if (named != publish.end())
    value.fail("streams are brought to " + in_quotes(named->text()) +
               " by the server name in their TLS, so tls cannot be off; write passthrough or "
               "terminate, or publish only ports");
  return mode;
}

HealthSettings read_health(const ConfigurationValue& value, const std::vector<Backend>& backends) {
  HealthSettings health;
  if (!value.is_section()) {
    health.kind = value.choice(health_words).value_or(health.kind);
    return health;
  }
  ConfigurationSection section(value);
  if (const auto kind = section.find("kind"))
    health.kind = kind->choice(health_words).value_or(health.kind);
  if (const auto interval = section.find("interval"))
    health.interval = interval->duration(1s, 1h).value_or(health.interval);
  if (const auto timeout = section.find("timeout"))
    health.timeout = timeout->duration(100ms, 1min).value_or(health.timeout);
  if (const auto port = section.find("port")) {
    if (const auto number = port->integer(1, 65535))
      health.port = static_cast<std::uint16_t>(*number);
    const bool has_unix = std::ranges::any_of(
        backends, [](const Backend& backend) { return !backend.address.unix_path.empty(); });
    if (has_unix) port->fail("a backend at a Unix socket has no other ports; remove this key");
  }
  const auto read_count = [&](std::string_view key, int& count) {
    if (const auto found = section.find(key))
      count = static_cast<int>(found->integer(1, health_count_max).value_or(count));
  };
  read_count("rise", health.rise);
  read_count("fall", health.fall);
  section.finish();
  return health;
}

ServiceLimits read_limits(const ConfigurationValue& value) {
  ServiceLimits limits;
  ConfigurationSection section(value, "{streams: 50, per_client: 5, rate: 10/s}");
  const auto read_count = [&](std::string_view key, std::optional<std::size_t>& count) {
    const auto found = section.find(key);
    if (!found) return;
    const auto number = found->integer(1, service_limit_max);
    if (number) count = static_cast<std::size_t>(*number);
  };
  read_count("streams", limits.streams);
  read_count("per_client", limits.per_client);
  if (const auto rate = section.find("rate")) limits.per_second = control::read_rate(*rate);
  section.finish();
  return limits;
}

struct PlacedRule {
  ClientRule rule;
  ConfigurationValue value;
};

std::vector<PlacedRule> read_networks(ConfigurationSection& section, std::string_view key) {
  std::vector<PlacedRule> rules;
  const auto list = section.find(key);
  if (!list) return rules;
  for (const ConfigurationValue& item : list->list(ClientRules::rules_max)) {
    const auto rule = control::read_parsed<ClientRule>(item);
    if (!rule) continue;
    const auto same = std::ranges::find(rules, *rule, &PlacedRule::rule);
    if (same != rules.end())
      item.fail(in_quotes(rule->text()) + " is in the list already (" + same->value.place().text() +
                "); remove one of the two");
    else
      rules.push_back({*rule, item});
  }
  return rules;
}

// What is denied as a whole lets nobody in, which is not what whoever wrote it wanted.
ClientRules read_rules(ConfigurationSection& section) {
  const auto allow = read_networks(section, "allow");
  const auto deny = read_networks(section, "deny");
  ClientRules rules;
  for (const PlacedRule& denied : deny) rules.deny.push_back(denied.rule);
  for (const PlacedRule& allowed : allow) {
    rules.allow.push_back(allowed.rule);
    const auto over = std::ranges::find_if(
        deny, [&](const PlacedRule& denied) { return denied.rule.covers(allowed.rule); });
    if (over != deny.end())
      allowed.value.fail(in_quotes(allowed.rule.text()) + " lets nobody in, since " +
                         in_quotes(over->rule.text()) + " is denied (" +
                         over->value.place().text() + "); remove one of the two");
  }
  return rules;
}

ServiceConfiguration read_service(const ConfigurationSection::Named& named, Claims& claims,
                                  bool acme_has_wildcards) {
  ServiceConfiguration service;
  service.name = named.name;
  ConfigurationSection section(named.value, "{publish: NAME, backend: HOST:PORT}");
  if (const auto publish = section.require("publish", "publish: NAME or \":PORT\""))
    service.publish = read_publish(*publish, claims);
  if (const auto backend = section.require("backend", "backend: HOST:PORT"))
    service.backends = read_backends(*backend);
  service.choice = read_choice(section, service.backends);
  if (const auto tls = section.find("tls")) service.tls = read_tls(*tls, service.publish);
  service.tls_settings = read_tls_settings(section, service.tls == TlsMode::terminate,
                                           service.publish, acme_has_wildcards);
  service.backend_tls = read_backend_tls_settings(section, service);
  if (const auto proxy = section.find("proxy_protocol"))
    service.proxy_protocol = proxy->choice(proxy_protocol_words).value_or(ProxyProtocol::off);
  if (const auto health = section.find("health"))
    service.health = read_health(*health, service.backends);
  service.rules = read_rules(section);
  if (const auto limits = section.find("limits")) service.limits = read_limits(*limits);
  if (const auto priority = section.find("priority"))
    service.priority = static_cast<unsigned>(
        priority->integer(0, priority_max).value_or(static_cast<std::int64_t>(service.priority)));
  section.finish();
  return service;
}

}  // namespace

std::vector<ServiceConfiguration> read_services(const ConfigurationValue& services,
                                                bool acme_has_wildcards) {
  std::vector<ServiceConfiguration> result;
  Claims claims;
  ConfigurationSection section(services, "NAME: {publish: NAME, backend: HOST:PORT}");
  const auto all = section.all();
  if (all.empty() && (services.is_section() || services.is_null()))
    services.fail("has no service; add `NAME: {publish: …, backend: …}`");
  if (all.size() > SidecarConfiguration::services_max) {
    services.fail("has " + std::to_string(all.size()) + " services; " +
                  std::to_string(SidecarConfiguration::services_max) + " are allowed");
    return result;
  }
  for (const ConfigurationSection::Named& named : all) {
    if (!control::is_plain_name(named.name))
      section.fail(named,
                   "cannot be the name of a service; " + std::string(control::plain_name_rule));
    result.push_back(read_service(named, claims, acme_has_wildcards));
  }
  if (claims.size() > SidecarConfiguration::endpoints_max)
    services.fail("publishes " + std::to_string(claims.size()) + " endpoints; " +
                  std::to_string(SidecarConfiguration::endpoints_max) + " are allowed");
  return result;
}

}  // namespace sidestream::sidecar
