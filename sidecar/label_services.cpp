#include "sidecar/label_services.h"

#include <algorithm>
#include <map>
#include <optional>
#include <tuple>
#include <utility>

#include "sidecar/label_tree.h"
#include "sidecar/service_reader.h"
#include "streams/message_text.h"

namespace sidestream::sidecar {
namespace {

// What one container says of one service.
struct Description {
  const Container* container = nullptr;
  ServiceConfiguration service;
};

std::string label_of(std::string_view name) {
  return std::string(services_label) + printable(name);
}

// Reads the services of one container.
class ContainerReader {
 public:
  ContainerReader(const Container& container, const OwnPlace& own, const FindContainer& find)
      : container_(container), who_("container " + container.name) {
    const auto host = reachable_host(container, own, find);
    if (host)
      host_ = *host;
    else
      problems_.push_back(who_ + ": " + host.error());
  }

  std::vector<Description> run() {
    LabelTree tree = parse_labels(container_.labels);
    for (const std::string& problem : tree.problems) problems_.push_back(who_ + ": " + problem);
    std::vector<Description> descriptions;
    for (std::size_t i = 0; i < tree.services.keys.size(); ++i) {
      auto service = read_service(tree.services.keys[i].text, std::move(tree.services.items[i]));
      if (service) descriptions.push_back({&container_, std::move(*service)});
    }
    return descriptions;
  }

  [[nodiscard]] std::vector<std::string>& problems() { return problems_; }

 private:
  std::optional<ServiceConfiguration> read_service(const std::string& name, YamlNode keys) {
    ConfigurationProblems problems;
    ConfigurationSource source{.name = who_, .problems = problems, .has_marks = false};
    const auto fail = [&](const std::string& key, std::string what) {
      problems.add({{who_, std::nullopt}, label_of(name) + key, std::move(what)});
    };
    const bool has_publish = keys.find("publish") != nullptr;
    if (!has_publish) fail(".publish", "the label is missing; add it, with what to publish");
    if (keys.find("backend") != nullptr)
      fail(".backend", "a container is its own backend; write " + label_of(name) + ".port");
    const auto port = read_port(keys, label_of(name) + ".port", source);
    std::optional<ServiceConfiguration> service;
    if (has_publish && host_) {
      const HostPort address{.host = *host_, .port = port.value_or(1)};
      const auto weight = read_weight(keys, label_of(name) + ".weight", source);
      YamlNode backend;
      child_of(backend, "address") = {.kind = YamlNode::Kind::scalar, .text = address.text()};
      if (weight)
        child_of(backend, "weight") = {.kind = YamlNode::Kind::scalar,
                                       .text = std::to_string(*weight)};
      child_of(keys, "backend") = std::move(backend);
      YamlNode services;
      child_of(services, name) = std::move(keys);
      auto read = read_services(ConfigurationValue(services, "sidestream.services", source));
      if (problems.empty() && read.size() == 1) service = std::move(read.front());
    }
    for (std::string& line : problems.lines()) problems_.push_back(std::move(line));
    return service;
  }

  static std::optional<YamlNode> take_out(YamlNode& keys, std::string_view key) {
    const auto found = std::ranges::find(keys.keys, key, &YamlKey::text);
    if (found == keys.keys.end()) return std::nullopt;
    const auto item = keys.items.begin() + (found - keys.keys.begin());
    std::optional<YamlNode> taken = std::move(*item);
    keys.keys.erase(found);
    keys.items.erase(item);
    return taken;
  }

  static std::optional<std::int64_t> read_weight(YamlNode& keys, const std::string& label,
                                                 ConfigurationSource& source) {
    const auto item = take_out(keys, "weight");
    if (!item) return std::nullopt;
    return ConfigurationValue(*item, label, source).integer(1, BackendChoiceLimits::weight_max);
  }

  // Takes the key out. Without it, the only port that the image exposes.
  std::optional<std::uint16_t> read_port(YamlNode& keys, const std::string& label,
                                         ConfigurationSource& source) const {
    if (const auto item = take_out(keys, "port")) {
      const auto port = ConfigurationValue(*item, label, source).integer(1, 65535);
      return port ? std::optional(static_cast<std::uint16_t>(*port)) : std::nullopt;
    }
    if (container_.exposed_ports.size() == 1) return container_.exposed_ports.front();
    source.problems.add({{who_, std::nullopt},
                         label,
                         "the label is missing; add it, with the port that the app listens on in "
                         "its container"});
    return std::nullopt;
  }

  const Container& container_;
  const std::string who_;
  std::optional<std::string> host_;
  std::vector<std::string> problems_;
};

// Makes one of what several containers say of a service, and sees to it that services do not get
// into each other's way.
class Merger {
 public:
  explicit Merger(const std::vector<ServiceConfiguration>& of_file)
      : of_file_(of_file), services_(of_file.size()) {
    for (const ServiceConfiguration& service : of_file) claim(service, "sidecar.yaml");
  }

  void add(const std::string& name, const std::vector<Description>& descriptions) {
    const Container& first = *descriptions.front().container;
    ServiceConfiguration service = without_backends(descriptions.front().service);
    if (std::ranges::find(of_file_, name, &ServiceConfiguration::name) != of_file_.end())
      return complain(first, name,
                      "sidecar.yaml or the environment has a service of this name; rename one");
    for (const Description& one : descriptions)
      if (without_backends(one.service) != service)
        return complain(first, name,
                        "container " + one.container->name +
                            " describes it differently, so neither is published; make their labels "
                            "equal, or rename one");
    if (const auto taken = taken_endpoint(service))
      return complain(first, name + ".publish", *taken + "; remove one of the two");
    if (++services_ > SidecarConfiguration::services_max ||
        claims_.size() + service.publish.size() > SidecarConfiguration::endpoints_max)
      return complain(first, name,
                      "there are too many services or endpoints; " +
                          std::to_string(SidecarConfiguration::services_max) + " and " +
                          std::to_string(SidecarConfiguration::endpoints_max) + " are allowed");
    claim(service, "container " + first.name);
    for (const Description& one : descriptions) add_backend(service, one);
    if (!service.backends.empty()) result_.services.push_back(std::move(service));
  }

  LabelServices& result() { return result_; }

 private:
  static ServiceConfiguration without_backends(ServiceConfiguration service) {
    service.backends.clear();
    return service;
  }

  void complain(const Container& container, const std::string& key, const std::string& what) {
    result_.problems.push_back("container " + container.name + ": " + label_of(key) + ": " + what);
  }

  void claim(const ServiceConfiguration& service, const std::string& who) {
    for (const control::Endpoint& endpoint : service.publish)
      claims_.try_emplace(endpoint, service.name + " (" + who + ")");
  }

  [[nodiscard]] std::optional<std::string> taken_endpoint(
      const ServiceConfiguration& service) const {
    for (const control::Endpoint& endpoint : service.publish) {
      const auto found = claims_.find(endpoint);
      if (found != claims_.end())
        return in_quotes(endpoint.text()) + " is published already, by " + found->second;
    }
    return std::nullopt;
  }

  void add_backend(ServiceConfiguration& service, const Description& one) {
    const ContainerHealth health = one.container->health;
    if (health == ContainerHealth::starting || health == ContainerHealth::unhealthy) {
      result_.waiting.push_back("container " + one.container->name + " is " +
                                (health == ContainerHealth::starting ? "starting" : "unhealthy") +
                                ", so it does not serve " + service.name);
      return;
    }
    const Backend& backend = one.service.backends.front();
    const bool is_new = std::ranges::find(service.backends, backend.address, &Backend::address) ==
                        service.backends.end();
    if (is_new && service.backends.size() < SidecarConfiguration::backends_max)
      service.backends.push_back(backend);
  }

  const std::vector<ServiceConfiguration>& of_file_;
  std::size_t services_;
  std::map<control::Endpoint, std::string> claims_;
  LabelServices result_;
};

}  // namespace

LabelServices read_label_services(std::vector<const Container*> containers, const OwnPlace& own,
                                  const FindContainer& find,
                                  const std::vector<ServiceConfiguration>& of_file) {
  std::erase_if(containers, [](const Container* container) { return !container->running; });
  std::ranges::sort(containers, {}, [](const Container* container) {
    return std::tie(container->created, container->name);
  });
  Merger merger(of_file);
  std::vector<std::string> names;  // in the order of the oldest container
  std::map<std::string, std::vector<Description>> descriptions;
  for (const Container* container : containers) {
    ContainerReader reader(*container, own, find);
    for (Description& one : reader.run()) {
      auto& of_service = descriptions[one.service.name];
      if (of_service.empty()) names.push_back(one.service.name);
      of_service.push_back(std::move(one));
    }
    for (std::string& problem : reader.problems())
      merger.result().problems.push_back(std::move(problem));
  }
  for (const std::string& name : names) merger.add(name, descriptions[name]);
  LabelServices result = std::move(merger.result());
  std::ranges::sort(result.services, {}, &ServiceConfiguration::name);
  return result;
}

}  // namespace sidestream::sidecar
