// The sidecars that may come to this edge: those of edge.yaml and those that were invited. Who they
// are, which tunnel address they have, what they may publish.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "control/endpoint_pattern.h"
#include "control/ticket.h"
#include "streams/ip_address.h"
#include "tunnel/wireguard_keys.h"

namespace sidestream::edge {

struct EnrolledSidecar {
  std::string name;
  tunnel::PublicKey public_key;
  tunnel::PresharedKey preshared_key;  // all zero: none
  IpAddress address;                   // inside the tunnel
  std::vector<control::EndpointPattern> allow;
  bool invited = false;  // kept in the state folder; false: edge.yaml has it
};

// What is left of one that was revoked, so that it can be told so instead of meeting silence: it
// may still shake hands and reach the control port, whose only answer is the refusal.
struct RevokedSidecar {
  std::string name;
  tunnel::PublicKey public_key;
  tunnel::PresharedKey preshared_key;
  IpAddress address;  // nobody else gets it meanwhile
};

struct RegistryLimits {
  std::size_t sidecars_max = 4096;
  std::size_t revoked_max = 64;    // the ones before are forgotten, and met with silence
  std::size_t patterns_max = 256;  // of one sidecar
  static constexpr std::size_t name_bytes_max = 63;
};

// What the tickets of one edge have in common.
struct TicketFacts {
  std::vector<HostPort> endpoints;
  tunnel::PublicKey public_key;
};

class SidecarRegistry {
 public:
  // The edge has the first address of `network`, sidecars get the others.
  explicit SidecarRegistry(const IpPrefix& network, const RegistryLimits& limits = {});

  [[nodiscard]] const IpPrefix& network() const { return network_; }
  [[nodiscard]] IpAddress edge_address() const;

  // Errors are one line for a person. All of them leave the registry as it was.

  // Adds one of edge.yaml. Without an address of its own it gets the lowest free one, so the
  // addresses of such sidecars depend on their order.
  std::expected<void, std::string> add_configured(EnrolledSidecar sidecar,
                                                  std::optional<IpAddress> address);
  // Enrols a sidecar by a secret (fresh and random) that only its ticket will hold.
  std::expected<control::Ticket, std::string> invite(std::string_view name,
                                                     std::vector<control::EndpointPattern> allow,
                                                     const control::Ticket::SecretKey& secret,
                                                     const TicketFacts& facts);
  // Takes an invited sidecar out; from then on it is among revoked(). What is there of older ones
  // makes room for the living, when addresses or places become scarce.
  std::expected<EnrolledSidecar, std::string> revoke(std::string_view name);
  // After load() and all add_configured(): those of edge.yaml that an earlier run kept and that it
  // has no more are among revoked() from now on, unless somebody else has their key or address.
  void retire_missing();

  [[nodiscard]] const std::vector<EnrolledSidecar>& sidecars() const { return sidecars_; }
  [[nodiscard]] const EnrolledSidecar* find(std::string_view name) const;
  [[nodiscard]] const EnrolledSidecar* find(const IpAddress& address) const;
  [[nodiscard]] const std::vector<RevokedSidecar>& revoked() const { return revoked_; }
  [[nodiscard]] const RevokedSidecar* find_revoked(const IpAddress& address) const;

  // The invited and revoked sidecars, and who those of edge.yaml are, as the text of a state file,
  // and back. Loading adds to what is there.
  [[nodiscard]] std::string serialize() const;
  std::expected<void, std::string> load(std::string_view text);

 private:
  [[nodiscard]] std::expected<void, std::string> check(const EnrolledSidecar& sidecar) const;
  [[nodiscard]] std::optional<IpAddress> free_address() const;
  std::optional<IpAddress> take_address();
  void make_room(const EnrolledSidecar& sidecar);
  void remember(RevokedSidecar gone);

  IpPrefix network_;
  RegistryLimits limits_;
  std::vector<EnrolledSidecar> sidecars_;  // in the order of enrolment
  std::vector<RevokedSidecar> revoked_;    // the oldest first
  std::vector<RevokedSidecar> configured_before_;
};

}  // namespace sidestream::edge
