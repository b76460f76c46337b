#include "edge/edge_configuration.h"

#include <algorithm>
#include <array>
#include <map>
#include <string_view>
#include <utility>

#include "control/configuration_values.h"
#include "edge/edge_environment.h"
#include "edge/routers/router_reader.h"
#include "edge/sidecar_entry_reader.h"
#include "edge/tunnel_network.h"
#include "streams/message_text.h"

namespace sidestream::edge {
namespace {

constexpr std::string_view port_forms = "a port or a range such as 50001-50002, from 1 to 65535";
constexpr std::string_view listen_forms = "ADDRESS:PORT, such as 0.0.0.0:51820 or [::]:51820";
constexpr std::int64_t streams_limit_max = 1'000'000;

void read_endpoints(ConfigurationSection& top, bool has_file, EdgeConfiguration& configuration) {
  const auto value =
      has_file ? top.require("endpoint", "endpoint: HOST:51820") : top.find("endpoint");
  if (!value && !has_file)
    top.value().fail(
        "no endpoint: set SIDESTREAM_ENDPOINT to the HOST:PORT that sidecars dial, or give a file: "
        "--config FILE");
  if (!value) return;
  auto& endpoints = configuration.endpoints;
  for (const ConfigurationValue& item : value->list(EdgeConfiguration::endpoints_max)) {
    auto endpoint = control::read_host_port(item);
    if (!endpoint) continue;
    const auto address = IpAddress::parse(endpoint->host);
    if (address && (address->is_unspecified() || address->is_multicast()))
      item.fail("sidecars cannot dial " + endpoint->host +
                "; write the name or address that the internet knows this host by");
    else if (std::ranges::find(endpoints, *endpoint) != endpoints.end())
      item.fail(in_quotes(endpoint->text()) + " is in the list twice; remove one of the two");
    else
      endpoints.push_back(std::move(*endpoint));
  }
}

void read_tunnel(ConfigurationSection& top, EdgeConfiguration& configuration) {
  const auto value = top.find("tunnel");
  if (!value) return;
  ConfigurationSection tunnel(*value, "{listen: \"0.0.0.0:51820\"}");
  if (const auto listen = tunnel.find("listen")) {
    const auto text = listen->text();
    const auto address = text ? SocketAddress::parse(*text) : std::nullopt;
    if (address && address->port != 0 && !address->address.is_multicast())
      configuration.listen = *address;
    else if (text)
      listen->fail_expected(listen_forms);
  }
  if (const auto network = tunnel.find("network")) {
    const auto text = network->text();
    const auto parsed = text ? parse_tunnel_network(*text) : std::unexpected(std::string());
    configuration.network = parsed.value_or(IpPrefix());  // nothing must be measured by that
    if (text && !parsed) network->fail_parsing(in_quotes(*text) + ": " + parsed.error());
  }
  configuration.tunnel = control::read_tunnel_settings(tunnel);
  tunnel.finish();
}

std::optional<PortRange> read_port_range(const ConfigurationValue& value) {
  if (!value.is_text()) {
    value.fail_expected(port_forms);
    return std::nullopt;
  }
  const auto text = value.text();
  if (!text) return std::nullopt;
  const std::size_t hyphen = text->find('-');
  const auto low = parse_port_number(std::string_view(*text).substr(0, hyphen));
  const auto high = hyphen == std::string::npos
                        ? low
                        : parse_port_number(std::string_view(*text).substr(hyphen + 1));
  if (low && high && *low <= *high) return PortRange{*low, *high};
  value.fail_expected(port_forms);
  return std::nullopt;
}

std::string text_of(const PortRange& range) {
  const std::string low = std::to_string(range.low);
  return range.low == range.high ? low : low + "-" + std::to_string(range.high);
}

void read_ports(const ConfigurationValue& value, EdgeConfiguration& configuration) {
  std::vector<PortRange> ports;
  bool is_known = true;
  const auto items = value.list(EdgeConfiguration::port_ranges_max);
  for (const ConfigurationValue& item : items) {
    const auto range = read_port_range(item);
    is_known = is_known && range;
    if (!range) continue;
    const auto twin = std::ranges::find_if(ports, [&](const PortRange& other) {
      return range->low <= other.high && other.low <= range->high;
    });
    if (twin == ports.end())
      ports.push_back(*range);
    else
      item.fail(text_of(*range) + " overlaps " + text_of(*twin) +
                ", which is in the list already; remove one of the two");
  }
  if (!is_known || items.empty()) ports.clear();  // nothing must be measured by them
  std::ranges::sort(ports, {}, &PortRange::low);
  configuration.public_ports = std::move(ports);
}

void read_public(ConfigurationSection& top, EdgeConfiguration& configuration) {
  const auto value = top.find("public");
  if (!value) return;
  ConfigurationSection section(*value, "{ports: [443]}");
  if (const auto address = section.find("address")) {
    const auto text = address->text();
    const auto parsed = text ? IpAddress::parse(*text) : std::nullopt;
    if (parsed && !parsed->is_multicast())
      configuration.public_address = *parsed;
    else if (text)
      address->fail_expected("an address of this host, or \"::\" for all of them");
  }
  if (const auto ports = section.find("ports")) read_ports(*ports, configuration);
  section.finish();
}

void read_limits(ConfigurationSection& top, EdgeLimits& limits) {
  const auto value = top.find("limits");
  if (!value) return;
  ConfigurationSection section(*value, "{streams: 10000}");
  const auto read_count = [&](std::string_view key, std::size_t& count) {
    const auto found = section.find(key);
    if (!found) return;
    const auto number = found->integer(1, streams_limit_max);
    if (number) count = static_cast<std::size_t>(*number);
  };
  read_count("streams", limits.streams);
  limits.has_streams = section.find("streams").has_value();
  read_count("per_client", limits.per_client);
  if (const auto memory = section.find("memory"))
    limits.memory_bytes = control::read_memory_limit(*memory).value_or(0);
  if (const auto timeout = section.find("hello_timeout"))
    limits.hello_timeout = timeout->duration(1s, 1min).value_or(limits.hello_timeout);
  section.finish();
}

bool is_public(const SocketAddress& address, const EdgeConfiguration& configuration) {
  const bool is_same_address = address.address == configuration.public_address ||
                               address.address.is_unspecified() ||
                               configuration.public_address.is_unspecified();
  return is_same_address &&
         std::ranges::any_of(configuration.public_ports, [&](const PortRange& range) {
           return range.low <= address.port && address.port <= range.high;
         });
}

// The addresses of admin, metrics and a router's inlet must not be where a public port may be
// opened.
void check_addresses(ConfigurationSection& top, const EdgeConfiguration& configuration) {
  const auto check = [&](std::string_view key, const SocketAddress& address) {
    const auto value = top.find(key);
    if (value && is_public(address, configuration))
      value->fail("port " + std::to_string(address.port) +
                  " is among public.ports; take another port, or take it out there");
  };
  for (const SocketAddress& admin : configuration.program.admin.addresses) check("admin", admin);
  if (configuration.program.metrics) check("metrics", *configuration.program.metrics);
  const RouterInletSettings* inlet = inlet_of(configuration.router);
  if (inlet != nullptr && inlet->unix_path.empty()) check("router", inlet->listen);
}

}  // namespace

EdgeConfiguration::EdgeConfiguration()
    : listen{IpAddress::v6({}), 51820},
      network(*IpPrefix::parse("10.86.0.0/24")),
      public_address(IpAddress::v6({})),
      public_ports{{443, 443}} {}

std::vector<std::string> keys_for_restart(const EdgeConfiguration& now,
                                          const EdgeConfiguration& wanted) {
  std::vector<std::string> keys = control::keys_for_restart(now.program, wanted.program);
  const bool same_tunnel =
      now.listen == wanted.listen && now.network == wanted.network && now.tunnel == wanted.tunnel;
  if (!same_tunnel) keys.emplace_back("tunnel");
  if (now.public_address != wanted.public_address) keys.emplace_back("public.address");
  if (now.router != wanted.router) keys.emplace_back("router");
  if (now.limits.memory_bytes != wanted.limits.memory_bytes) keys.emplace_back("limits.memory");
  return keys;
}

std::expected<EdgeConfiguration, ConfigurationProblems> read_edge_configuration(
    const std::optional<ConfigurationText>& file, const VariableSources& sources) {
  ConfigurationProblems problems;
  auto root = control::read_tree(file, problems);
  if (!root) return std::unexpected(std::move(problems));
  const auto idle = control::add_environment(*root, edge_environment(), sources, problems);

  ConfigurationSource source{.name = file ? file->name : "environment",
                             .problems = problems,
                             .variables = &sources,
                             .has_marks = file.has_value()};
  ConfigurationSection top(ConfigurationValue(*root, "", source), "endpoint: HOST:51820");
  EdgeConfiguration configuration;
  read_endpoints(top, file.has_value(), configuration);
  read_tunnel(top, configuration);
  read_public(top, configuration);
  if (const auto sidecars = top.find("sidecars"))
    configuration.sidecars = read_sidecar_entries(*sidecars, configuration);
  if (const auto router = top.find("router")) configuration.router = read_router(*router);
  read_limits(top, configuration.limits);
  if (const auto honours = top.find("honour_bans"))
    configuration.honours_bans = honours->boolean().value_or(true);
  configuration.program = control::read_program_configuration(top);
  check_addresses(top, configuration);
  top.finish();
  control::refuse_idle(idle, source);
  if (!problems.empty()) return std::unexpected(std::move(problems));
  return configuration;
}

}  // namespace sidestream::edge
