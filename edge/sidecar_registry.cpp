#include "edge/sidecar_registry.h"

#include <algorithm>
#include <utility>

#include "control/configuration_values.h"
#include "control/json.h"
#include "control/json_fields.h"
#include "control/ticket_keys.h"
#include "streams/base64.h"
#include "streams/message_text.h"

namespace sidestream::edge {
namespace {

constexpr unsigned state_version = 1;

// Address number `index` of the network; 0 is the network itself.
IpAddress address_number(const IpPrefix& network, std::uint32_t index) {
  if (network.address().is_v4()) return IpAddress::v4(network.address().v4_host_order() + index);
  std::array<std::uint8_t, 16> bytes{};
  std::ranges::copy(network.address().bytes(), bytes.begin());
  ByteWriter(MutableBytes(bytes).last(4)).u32(ByteReader(Bytes(bytes).last(4)).u32() + index);
  return IpAddress::v6(bytes);
}

// How many numbers there are before the broadcast address.
std::uint32_t last_number(const IpPrefix& network) {
  const unsigned host_bits = std::min(network.address().bits() - network.length(), 31U);
  return (std::uint32_t{1} << host_bits) - 1;
}

}  // namespace

SidecarRegistry::SidecarRegistry(const IpPrefix& network, const RegistryLimits& limits)
    : network_(network), limits_(limits) {}

IpAddress SidecarRegistry::edge_address() const {
  return address_number(network_, 1);
}

std::expected<void, std::string> SidecarRegistry::check(const EnrolledSidecar& sidecar) const {
  if (!control::is_plain_name(sidecar.name))
    return std::unexpected(in_quotes(sidecar.name) + " cannot be the name of a sidecar; " +
                           std::string(control::plain_name_rule));
  if (find(sidecar.name) != nullptr)
    return std::unexpected("there is a sidecar " + in_quotes(sidecar.name) +
                           " already; revoke it first or choose another name");
  if (sidecars_.size() >= limits_.sidecars_max)
    return std::unexpected("this edge has " + std::to_string(limits_.sidecars_max) +
                           " sidecars already, which is the limit");
  if (sidecar.allow.size() > limits_.patterns_max)
    return std::unexpected("a sidecar can be allowed " + std::to_string(limits_.patterns_max) +
                           " endpoint patterns at most");
  const bool key_taken = std::ranges::any_of(sidecars_, [&](const EnrolledSidecar& other) {
    return other.public_key == sidecar.public_key;
  });
  if (key_taken)
    return std::unexpected("the public key of " + in_quotes(sidecar.name) +
                           " belongs to another sidecar; every sidecar needs a key of its own");
  return {};
}

std::expected<void, std::string> SidecarRegistry::add_configured(EnrolledSidecar sidecar,
                                                                 std::optional<IpAddress> address) {
  if (auto checked = check(sidecar); !checked) return checked;
  if (address) {
    if (!network_.contains(*address) || *address == edge_address() ||
        *address == network_.address())
      return std::unexpected(address->text() + " is not an address for a sidecar in " +
                             network_.text());
    if (const EnrolledSidecar* other = find(*address))
      return std::unexpected(address->text() + " is the address of " + in_quotes(other->name));
  } else {
    address = take_address();
    if (!address) return std::unexpected("no address is free in " + network_.text());
  }
  sidecar.address = *address;
  make_room(sidecar);
  sidecars_.push_back(std::move(sidecar));
  return {};
}

std::expected<control::Ticket, std::string> SidecarRegistry::invite(
    std::string_view name, std::vector<control::EndpointPattern> allow,
    const control::Ticket::SecretKey& secret, const TicketFacts& facts) {
  const control::TicketKeys keys = control::derive_ticket_keys(secret);
  EnrolledSidecar sidecar;
  sidecar.name = name;
  sidecar.public_key = keys.public_key;
  sidecar.preshared_key = keys.preshared_key;
  sidecar.allow = std::move(allow);
  sidecar.invited = true;
  if (auto checked = check(sidecar); !checked) return std::unexpected(checked.error());
  if (sidecar.allow.empty())
    return std::unexpected("nothing is allowed for " + in_quotes(name) +
                           "; say what it may publish with --allow");
  const auto address = take_address();
  if (!address)
    return std::unexpected("no address is free in " + network_.text() +
                           "; use a larger tunnel network");
  sidecar.address = *address;
  make_room(sidecar);

  control::Ticket ticket;
  ticket.edge_endpoints = facts.endpoints;
  ticket.edge_public_key = facts.public_key;
  ticket.edge_address = edge_address();
  ticket.sidecar_address = *address;
  ticket.prefix_length = network_.length();
  ticket.secret = secret;
  sidecars_.push_back(std::move(sidecar));
  return ticket;
}

std::expected<EnrolledSidecar, std::string> SidecarRegistry::revoke(std::string_view name) {
  const auto found = std::ranges::find(sidecars_, name, &EnrolledSidecar::name);
  if (found == sidecars_.end())
    return std::unexpected("there is no sidecar " + in_quotes(name) + " on this edge");
  if (!found->invited)
    return std::unexpected(in_quotes(name) +
                           " is in edge.yaml; take it out there and reload the edge (SIGHUP)");
  EnrolledSidecar revoked = *found;
  sidecars_.erase(found);
  remember({revoked.name, revoked.public_key, revoked.preshared_key, revoked.address});
  return revoked;
}

void SidecarRegistry::remember(RevokedSidecar gone) {
  if (revoked_.size() >= limits_.revoked_max) revoked_.erase(revoked_.begin());
  revoked_.push_back(std::move(gone));
}

void SidecarRegistry::retire_missing() {
  const auto is_same = [](const auto& one, const auto& other) {
    return one.public_key == other.public_key || one.address == other.address;
  };
  for (RevokedSidecar& gone : std::exchange(configured_before_, {})) {
    const auto has_heir = [&](const auto& other) { return is_same(other, gone); };
    const bool is_taken =
        std::ranges::any_of(sidecars_, has_heir) || std::ranges::any_of(revoked_, has_heir);
    if (!is_taken && sidecars_.size() + revoked_.size() < limits_.sidecars_max)
      remember(std::move(gone));
  }
}

const EnrolledSidecar* SidecarRegistry::find(std::string_view name) const {
  const auto found = std::ranges::find(sidecars_, name, &EnrolledSidecar::name);
  return found == sidecars_.end() ? nullptr : &*found;
}

const EnrolledSidecar* SidecarRegistry::find(const IpAddress& address) const {
  const auto found = std::ranges::find(sidecars_, address, &EnrolledSidecar::address);
  return found == sidecars_.end() ? nullptr : &*found;
}

const RevokedSidecar* SidecarRegistry::find_revoked(const IpAddress& address) const {
  const auto found = std::ranges::find(revoked_, address, &RevokedSidecar::address);
  return found == revoked_.end() ? nullptr : &*found;
}

// When all are taken, the address of the one that was revoked longest ago.
std::optional<IpAddress> SidecarRegistry::take_address() {
  auto address = free_address();
  while (!address && !revoked_.empty()) {
    revoked_.erase(revoked_.begin());
    address = free_address();
  }
  return address;
}

// Before `sidecar` is added: of those that are revoked none may have its key or address, and all
// together are no more than the tunnel takes.
void SidecarRegistry::make_room(const EnrolledSidecar& sidecar) {
  std::erase_if(revoked_, [&](const RevokedSidecar& revoked) {
    return revoked.public_key == sidecar.public_key || revoked.address == sidecar.address;
  });
  while (!revoked_.empty() && sidecars_.size() + revoked_.size() >= limits_.sidecars_max)
    revoked_.erase(revoked_.begin());
}

std::optional<IpAddress> SidecarRegistry::free_address() const {
  // Number 1 is the edge's, the last one the network's broadcast address.
  for (std::uint32_t number = 2; number < last_number(network_); ++number) {
    const IpAddress address = address_number(network_, number);
    if (find(address) == nullptr && find_revoked(address) == nullptr) return address;
    if (number > limits_.sidecars_max + limits_.revoked_max + 1) break;
  }
  return std::nullopt;
}

// ---- state file --------------------------------------------------------------------------------

namespace {

// What the entries of both lists have in common.
template <typename Sidecar>
control::JsonObject identity_json(const Sidecar& sidecar) {
  return {{"name", sidecar.name},
          {"public_key", sidecar.public_key.text()},
          {"preshared_key", serialize_base64(sidecar.preshared_key.reveal())},
          {"address", sidecar.address.text()}};
}

template <typename Sidecar>
std::expected<Sidecar, std::string> read_identity(control::JsonFields& entry) {
  Sidecar sidecar;
  sidecar.name = entry.text("name", RegistryLimits::name_bytes_max);
  const auto public_key = tunnel::PublicKey::parse(entry.text("public_key", 64));
  const auto preshared_key = tunnel::PresharedKey::parse(entry.text("preshared_key", 64));
  const auto address = IpAddress::parse(entry.text("address", 64));
  if (!public_key || !preshared_key || !address)
    return std::unexpected("a key or address of " + in_quotes(sidecar.name) + " cannot be read");
  sidecar.public_key = *public_key;
  sidecar.preshared_key = *preshared_key;
  sidecar.address = *address;
  return sidecar;
}

// A list that is not there in what an earlier version wrote.
std::expected<std::vector<RevokedSidecar>, std::string> read_former(control::JsonFields& fields,
                                                                    std::string_view key,
                                                                    control::JsonProblem& problem) {
  std::vector<RevokedSidecar> former;
  const control::JsonArray* entries = fields.optional_array(key, RegistryLimits{}.sidecars_max);
  for (std::size_t i = 0; entries != nullptr && i < entries->size(); ++i) {
    control::JsonFields entry = fields.element(key, *entries, i);
    auto sidecar = read_identity<RevokedSidecar>(entry);
    if (!problem.empty()) return std::unexpected(problem);
    if (!sidecar) return std::unexpected(sidecar.error());
    former.push_back(std::move(*sidecar));
  }
  return former;
}

}  // namespace

std::string SidecarRegistry::serialize() const {
  control::JsonArray invited;
  for (const EnrolledSidecar& sidecar : sidecars_) {
    if (!sidecar.invited) continue;
    control::JsonArray allow;
    for (const control::EndpointPattern& pattern : sidecar.allow)
      allow.emplace_back(pattern.text());
    control::JsonObject entry = identity_json(sidecar);
    entry.add("allow", std::move(allow));
    invited.emplace_back(std::move(entry));
  }
  control::JsonArray revoked;
  for (const RevokedSidecar& sidecar : revoked_) revoked.emplace_back(identity_json(sidecar));
  control::JsonArray configured;
  for (const EnrolledSidecar& sidecar : sidecars_)
    if (!sidecar.invited) configured.emplace_back(identity_json(sidecar));
  control::JsonObject state{{"version", state_version},
                            {"sidecars", std::move(invited)},
                            {"revoked", std::move(revoked)}};
  if (!configured.empty()) state.add("configured", std::move(configured));
  return control::serialize_json(std::move(state)) + "\n";
}

std::expected<void, std::string> SidecarRegistry::load(std::string_view text) {
  control::JsonLimits json_limits;
  json_limits.bytes_max = std::size_t{16} << 20U;
  json_limits.values_max = 4'000'000;
  const auto json = control::parse_json(text, json_limits);
  if (!json) return std::unexpected(json.error().what);
  control::JsonProblem problem;
  control::JsonFields fields(*json, "", problem);
  const auto version = fields.number("version", 1, 1'000'000);
  if (problem.empty() && version != state_version)
    return std::unexpected("it was written by a newer version of sidestream");
  const control::JsonArray& entries = fields.array("sidecars", limits_.sidecars_max);
  SidecarRegistry loaded = *this;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    control::JsonFields entry = fields.element("sidecars", entries, i);
    auto sidecar = read_identity<EnrolledSidecar>(entry);
    if (!problem.empty()) return std::unexpected(problem);
    if (!sidecar) return std::unexpected(sidecar.error());
    sidecar->invited = true;
    for (const control::Json& pattern : entry.array("allow", limits_.patterns_max)) {
      const std::string* written = pattern.text();
      auto parsed = written != nullptr ? control::EndpointPattern::parse(*written)
                                       : std::unexpected(std::string("expected a text"));
      if (!parsed)
        return std::unexpected("allow of " + in_quotes(sidecar->name) + ": " + parsed.error());
      sidecar->allow.push_back(*parsed);
    }
    if (!problem.empty()) return std::unexpected(problem);
    const IpAddress address = sidecar->address;
    if (auto added = loaded.add_configured(std::move(*sidecar), address); !added)
      return std::unexpected(added.error());
  }
  auto revoked = read_former(fields, "revoked", problem);
  auto configured = read_former(fields, "configured", problem);
  if (!revoked) return std::unexpected(revoked.error());
  if (!configured) return std::unexpected(configured.error());
  for (RevokedSidecar& sidecar : *revoked)
    if (network_.contains(sidecar.address) && loaded.find(sidecar.address) == nullptr &&
        loaded.revoked_.size() < limits_.revoked_max)
      loaded.revoked_.push_back(std::move(sidecar));
  std::erase_if(*configured,
                [&](const RevokedSidecar& one) { return !network_.contains(one.address); });
  loaded.configured_before_ = std::move(*configured);
  if (!problem.empty()) return std::unexpected(problem);
  *this = std::move(loaded);
  return {};
}

}  // namespace sidestream::edge
