#include "sidecar/edge_entry.h"

#include <algorithm>
#include <array>
#include <optional>

#include "control/configuration_values.h"
#include "control/ticket_keys.h"
#include "tunnel/crypto.h"

namespace sidestream::sidecar {
namespace {

constexpr std::array<std::string_view, 6> keys_of_written_out{
    "endpoint", "public_key", "private_key", "preshared_key", "address", "edge_address"};

// The form for those whose private key must never have been elsewhere.
std::optional<EdgeEntry> read_written_out(ConfigurationSection& section) {
  EdgeEntry entry;
  if (const auto endpoint = section.require("endpoint", "endpoint: HOST:PORT"))
    for (const ConfigurationValue& item : endpoint->list(control::TicketLimits::endpoints_max))
      if (auto host_port = control::read_host_port(item))
        entry.endpoints.push_back(std::move(*host_port));

  const auto public_key = section.require("public_key", "public_key: KEY-OF-THE-EDGE");
  const auto private_key = section.require("private_key", "private_key: ${file:/PATH}");
  const auto preshared_key = section.find("preshared_key");
  const auto address = section.require("address", "address: 10.86.0.2");
  const auto edge_address = section.require("edge_address", "edge_address: 10.86.0.1");

  const auto edge_key = public_key ? control::read_public_key(*public_key) : std::nullopt;
  const auto own_key = private_key ? control::read_private_key(*private_key) : std::nullopt;
  const auto shared = preshared_key ? control::read_preshared_key(*preshared_key) : std::nullopt;
  const auto own = address ? control::read_tunnel_address(*address) : std::nullopt;
  const auto edge = edge_address ? control::read_tunnel_address(*edge_address) : std::nullopt;
  if (entry.endpoints.empty() || !edge_key || !own_key || (preshared_key && !shared) || !own ||
      !edge)
    return std::nullopt;

  const tunnel::KeyPair pair = tunnel::key_pair_of(*own_key);
  if (pair.public_key == *edge_key) {
    public_key->fail("this is the sidecar's own public key; write the edge's");
    return std::nullopt;
  }
  if (own->is_v6() != edge->is_v6() || *own == *edge) {
    edge_address->fail("must be another address than `address`, of the same kind");
    return std::nullopt;
  }
  entry.public_key = *edge_key;
  entry.private_key = pair.private_key;
  entry.own_public_key = pair.public_key;
  if (shared) entry.preshared_key = *shared;
  entry.own_address = *own;
  entry.edge_address = *edge;
  entry.prefix_length = own->bits();
  return entry;
}

std::optional<EdgeEntry> read_entry(const ConfigurationValue& value) {
  if (!value.is_section()) {
    value.fail_expected("`ticket: ss1_…`, or the keys of an edge");
    return std::nullopt;
  }
  ConfigurationSection section(value);
  const auto ticket = section.find("ticket");
  std::vector<ConfigurationValue> written_out;
  for (const std::string_view key : keys_of_written_out)
    if (const auto found = section.find(key)) written_out.push_back(*found);

  std::optional<EdgeEntry> entry;
  if (ticket) {
    entry = read_ticket(*ticket);
    for (const ConfigurationValue& beside : written_out)
      beside.fail("the ticket says this already; remove it, or remove `ticket`");
  } else if (!written_out.empty()) {
    entry = read_written_out(section);
  } else {
    value.fail("the key \"ticket\" is missing; add `ticket: ${SIDESTREAM_TICKET}`");
  }
  section.finish();
  return entry;
}

}  // namespace

EdgeEntry::EdgeEntry(const control::Ticket& ticket)
    : endpoints(ticket.edge_endpoints),
      public_key(ticket.edge_public_key),
      edge_address(ticket.edge_address),
      own_address(ticket.sidecar_address),
      prefix_length(ticket.prefix_length) {
  const control::TicketKeys keys = control::derive_ticket_keys(ticket.secret);
  private_key = keys.private_key;
  own_public_key = keys.public_key;
  preshared_key = keys.preshared_key;
}

std::string EdgeEntry::name() const {
  return endpoints.empty() ? "" : endpoints.front().text();
}

std::optional<EdgeEntry> read_ticket(const ConfigurationValue& ticket) {
  const auto text = ticket.secret();
  if (!text) return std::nullopt;
  const auto parsed = control::Ticket::parse(text->reveal());
  if (parsed) return EdgeEntry(*parsed);
  ticket.fail(std::string(text_of(parsed.error())));
  return std::nullopt;
}

std::vector<EdgeEntry> read_edges(const ConfigurationValue& edges) {
  std::vector<EdgeEntry> entries;
  std::vector<std::string> paths;
  for (const ConfigurationValue& item : edges.list(EdgeEntry::count_max)) {
    auto entry = read_entry(item);
    if (!entry) continue;
    const auto twin = std::ranges::find(entries, entry->public_key, &EdgeEntry::public_key);
    if (twin != entries.end()) {
      item.fail("this is the same edge as " +
                paths[static_cast<std::size_t>(twin - entries.begin())] +
                "; one entry for each edge, remove one of the two");
      continue;
    }
    entries.push_back(std::move(*entry));
    paths.push_back(item.path());
  }
  return entries;
}

}  // namespace sidestream::sidecar
