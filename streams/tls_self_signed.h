// A certificate that signed itself, for clients that pin the first one that they see, as Electrum
// wallets do: one leaf, P-256, for ten years.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "streams/secret_text.h"
#include "streams/time.h"

namespace sidestream {

inline constexpr std::chrono::days self_signed_life{3650};

// Certificate and private key, both in PEM, one after the other. `name` is a DNS name, wildcards
// included; `serial` comes from a source of randomness. A clock that was never set (a small
// computer that has just started) counts as the first day on which this program existed.
[[nodiscard]] SecretText make_self_signed(const std::string& name, WallTime now,
                                          const std::array<std::uint8_t, 16>& serial);

// What is shown to who validates that `name` is ours (RFC 8737 section 3): for that name alone,
// with the SHA-256 of the key authorization.
[[nodiscard]] SecretText make_challenge(const std::string& name,
                                        const std::array<std::uint8_t, 32>& digest, WallTime now,
                                        const std::array<std::uint8_t, 16>& serial);

}  // namespace sidestream
