#include "sidecar/container_address.h"

#include <algorithm>
#include <array>

#include "streams/host_port.h"
#include "streams/ip_address.h"

namespace sidestream::sidecar {
namespace {

constexpr std::string_view loopback = "127.0.0.1";
// Containers that have each other's network in a chain are no more than this.
constexpr std::size_t owners_max = 4;

using Host = std::expected<std::string, std::string>;

// The networks that engines make by themselves resolve no names.
bool has_names(const ContainerNetwork& network) {
  static constexpr std::array<std::string_view, 6> without{"bridge", "podman",      "host",
                                                           "none",   "slirp4netns", "pasta"};
  return std::ranges::find(without, network.name) == without.end();
}

bool is_address(const std::string& text) {
  const auto address = IpAddress::parse(text);
  return address && !address->is_unspecified();
}

const ContainerNetwork* find_network(const Container& container, const std::string& name) {
  const auto found = std::ranges::find(container.networks, name, &ContainerNetwork::name);
  return found == container.networks.end() ? nullptr : &*found;
}

// The container whose network it really has; nullptr when that is not known.
const Container* network_of(const Container& container, const FindContainer& find) {
  const Container* at = &container;
  for (std::size_t i = 0; i < owners_max && at != nullptr; ++i) {
    const auto owner = at->network_owner();
    if (!owner) return at;
    at = find(*owner);
  }
  return nullptr;
}

Host any_address(const Container& target) {
  for (const ContainerNetwork& network : target.networks)
    if (is_address(network.address)) return network.address;
  return std::unexpected("it has no address; attach it to a network of the engine");
}

// From a sidecar in a container that is not known here. Which of several networks it is in, only
// the resolver there knows.
Host guessed(const Container& target) {
  const auto has_address = [](const ContainerNetwork& network) {
    return is_address(network.address);
  };
  const bool has_one = std::ranges::count_if(target.networks, has_address) == 1;
  if (!has_one && std::ranges::any_of(target.networks, has_names) && check_host(target.name))
    return target.name;
  return any_address(target);
}

Host in_shared_network(const Container& target, const Container& own) {
  const ContainerNetwork* with_address = nullptr;
  for (const ContainerNetwork& network : target.networks) {
    if (find_network(own, network.name) == nullptr) continue;
    if (has_names(network) && check_host(target.name)) return target.name;
    if (with_address == nullptr && is_address(network.address)) with_address = &network;
  }
  if (with_address != nullptr) return with_address->address;
  return std::unexpected("it shares no network with the sidecar (container " + own.name +
                         "); attach both to one");
}

}  // namespace

Host reachable_host(const Container& container, const OwnPlace& own, const FindContainer& find) {
  const Container* target = network_of(container, find);
  if (target == nullptr)
    return std::unexpected("it has the network of another container (" +
                           container.network_mode.substr(0, 30) + "), which is not running");
  const Container* place = own.container == nullptr ? nullptr : network_of(*own.container, find);
  const bool sidecar_on_host = place == nullptr ? own.on_host : place->network_mode == "host";
  if (place != nullptr && place->id == target->id) return std::string(loopback);
  if (target->network_mode == "none")
    return std::unexpected("it has no network; attach it to one that the sidecar has too");
  if (target->network_mode == "host") {
    if (sidecar_on_host) return std::string(loopback);
    return std::unexpected(
        "it has the network of the host, where the sidecar's container is not; write this service "
        "into sidecar.yaml, with `backend: host.docker.internal:PORT` and "
        "`extra_hosts: [host.docker.internal:host-gateway]` for the sidecar, or attach the "
        "container to a network");
  }
  if (sidecar_on_host) return any_address(*target);
  if (place == nullptr) return guessed(*target);
  return in_shared_network(*target, *place);
}

}  // namespace sidestream::sidecar
