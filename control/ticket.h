// The ticket: the one line that enrols a sidecar. `ss1_` and base64url (RFC 4648 section 5, no
// padding) of the binary form that docs/protocols/ticket.md describes. A ticket is a secret.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string_view>
#include <vector>

#include "streams/host_port.h"
#include "streams/ip_address.h"
#include "streams/secret.h"
#include "streams/secret_text.h"
#include "tunnel/wireguard_keys.h"

namespace sidestream::control {

enum class TicketError : std::uint8_t {
  empty,
  not_a_ticket,     // does not begin as one
  bad_character,    // one that no ticket has: white space, quotes, …
  truncated,        // the end is missing
  too_long,         // something stands behind the end
  damaged,          // the checksum does not match
  unknown_version,  // begins as a ticket of another version
  invalid,          // the checksum matches, but the content cannot be
};
// For a person: what is wrong and what to do, one line.
[[nodiscard]] std::string_view text_of(TicketError error);

// What every ticket's fields are kept to, both ways.
struct TicketLimits {
  static constexpr std::size_t endpoints_max = 8;
  static constexpr unsigned v4_prefix_min = 8;
  static constexpr unsigned v4_prefix_max = 30;
  static constexpr unsigned v6_prefix_min = 48;
  static constexpr unsigned v6_prefix_max = 126;
};

struct Ticket {
  using SecretKey = Secret<32>;

  std::vector<HostPort> edge_endpoints;  // what to dial, in the order of preference
  tunnel::PublicKey edge_public_key;
  IpAddress edge_address;      // inside the tunnel
  IpAddress sidecar_address;   // inside the tunnel, of the same family
  unsigned prefix_length = 0;  // of the network that both addresses are in
  SecretKey secret;            // the sidecar's keys come from it, see ticket_keys.h

  // White space around the text is ignored.
  static std::expected<Ticket, TicketError> parse(std::string_view text);
  // Of what stands between the header and the checksum of the binary form; for tests.
  static std::expected<Ticket, TicketError> parse_content(Bytes bytes);
  // Needs a ticket that is_valid().
  [[nodiscard]] SecretText text() const;
  [[nodiscard]] bool is_valid() const;
  [[nodiscard]] IpPrefix network() const { return {edge_address, prefix_length}; }

  friend bool operator==(const Ticket&, const Ticket&) = default;
};

}  // namespace sidestream::control
