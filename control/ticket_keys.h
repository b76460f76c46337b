// The WireGuard keys that a ticket's secret stands for. Both ends derive them once: the sidecar at
// each start, the edge when it makes the ticket, after which it forgets the secret and the private
// key.
#pragma once

#include "control/ticket.h"
#include "tunnel/wireguard_keys.h"

namespace sidestream::control {

struct TicketKeys {
  tunnel::PrivateKey private_key;  // the sidecar's, clamped (RFC 7748 section 5)
  tunnel::PublicKey public_key;    // of it
  tunnel::PresharedKey preshared_key;
};

// HKDF (RFC 5869) with HMAC-BLAKE2s, the label as salt and no info; one label for each key, see
// docs/protocols/ticket.md. `secret` must be uniformly random.
[[nodiscard]] TicketKeys derive_ticket_keys(const Ticket::SecretKey& secret);

}  // namespace sidestream::control
