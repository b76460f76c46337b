#include "control/ticket_keys.h"

#include <string_view>

#include "tunnel/crypto.h"

namespace sidestream::control {
namespace {

constexpr std::string_view private_key_label = "sidestream ticket 1 private key";
constexpr std::string_view preshared_key_label = "sidestream ticket 1 preshared key";

}  // namespace

TicketKeys derive_ticket_keys(const Ticket::SecretKey& secret) {
  const auto private_key = tunnel::kdf<1>(bytes_of(private_key_label), secret.reveal());
  const auto preshared_key = tunnel::kdf<1>(bytes_of(preshared_key_label), secret.reveal());
  const auto pair = tunnel::key_pair_of(tunnel::PrivateKey(private_key[0].reveal()));
  return {pair.private_key, pair.public_key, tunnel::PresharedKey(preshared_key[0].reveal())};
}

}  // namespace sidestream::control
