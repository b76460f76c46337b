#include "edge/sidecar_entry_reader.h"

#include <algorithm>
#include <utility>

#include "control/configuration_values.h"
#include "edge/tunnel_network.h"
#include "streams/message_text.h"

namespace sidestream::edge {
namespace {

void refuse_twins(const SidecarEntry& entry, const std::vector<SidecarEntry>& others,
                  const ConfigurationValue& value) {
  for (const SidecarEntry& other : others) {
    if (entry.public_key != tunnel::PublicKey{} && entry.public_key == other.public_key)
      value.fail("has the public_key of " + in_quotes(other.name) +
                 "; every sidecar needs a key of its own");
    if (entry.address && entry.address == other.address)
      value.fail("has the address of " + in_quotes(other.name) + "; take another one");
  }
}

bool is_open(const control::EndpointPattern& pattern, const std::vector<PortRange>& ports) {
  return ports.empty() || std::ranges::any_of(ports, [&](const PortRange& range) {
           return pattern.port_low <= range.high && range.low <= pattern.port_high;
         });
}

std::vector<control::EndpointPattern> read_allow(const ConfigurationValue& value,
                                                 const std::vector<PortRange>& ports) {
  std::vector<control::EndpointPattern> patterns;
  for (const ConfigurationValue& item : value.list(EdgeConfiguration::patterns_max)) {
    auto pattern = control::read_parsed<control::EndpointPattern>(item);
    if (!pattern) continue;
    if (!is_open(*pattern, ports))
      item.fail(in_quotes(pattern->text()) +
                " is on no port of public.ports; add its port there, or remove this");
    else if (std::ranges::find(patterns, *pattern) != patterns.end())
      item.fail(in_quotes(pattern->text()) + " is in the list twice; remove one of the two");
    else
      patterns.push_back(std::move(*pattern));
  }
  return patterns;
}

SidecarEntry read_entry(const ConfigurationSection::Named& named, const EdgeConfiguration& edge) {
  SidecarEntry entry;
  entry.name = named.name;
  ConfigurationSection section(named.value, "{public_key: KEY, allow: [NAME]}");
  if (const auto key = section.require("public_key", "public_key: KEY-OF-THE-SIDECAR"))
    entry.public_key = control::read_public_key(*key).value_or(entry.public_key);
  if (const auto key = section.find("preshared_key"))
    entry.preshared_key = control::read_preshared_key(*key).value_or(entry.preshared_key);
  if (const auto address = section.find("address")) {
    entry.address = control::read_tunnel_address(*address);
    if (entry.address && edge.network.length() > 0) {
      const std::string problem = sidecar_address_problem(edge.network, *entry.address);
      if (!problem.empty()) address->fail(problem + "; take another address of the network");
    }
  }
  if (const auto allow = section.require("allow", "allow: [NAME, \":PORT\"]"))
    entry.allow = read_allow(*allow, edge.public_ports);
  section.finish();
  return entry;
}

}  // namespace

std::vector<SidecarEntry> read_sidecar_entries(const ConfigurationValue& sidecars,
                                               const EdgeConfiguration& edge) {
  std::vector<SidecarEntry> entries;
  ConfigurationSection section(sidecars, "NAME: {public_key: KEY, allow: [NAME]}");
  const auto all = section.all();
  if (all.size() > EdgeConfiguration::sidecars_max) {
    sidecars.fail("has " + std::to_string(all.size()) + " sidecars; " +
                  std::to_string(EdgeConfiguration::sidecars_max) + " are allowed");
    return entries;
  }
  if (edge.network.length() > 0 && all.size() > sidecar_addresses_in(edge.network))
    sidecars.fail("has " + std::to_string(all.size()) + " sidecars, but tunnel.network " +
                  edge.network.text() + " has only " +
                  std::to_string(sidecar_addresses_in(edge.network)) +
                  " addresses for them; make the network larger");
  for (const ConfigurationSection::Named& named : all) {
    if (!control::is_plain_name(named.name))
      section.fail(named,
                   "cannot be the name of a sidecar; " + std::string(control::plain_name_rule));
    SidecarEntry entry = read_entry(named, edge);
    refuse_twins(entry, entries, named.value);
    entries.push_back(std::move(entry));
  }
  return entries;
}

}  // namespace sidestream::edge
