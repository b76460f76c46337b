// What an edge keeps in its state folder: its private key, and who was invited or revoked.
#pragma once

#include <expected>
#include <optional>
#include <string>

#include "edge/edge_configuration.h"
#include "edge/sidecar_registry.h"
#include "streams/state_file_io.h"
#include "tunnel/wireguard_keys.h"

namespace sidestream::cli {

// Errors are one line for a person.

// None: there is none yet.
[[nodiscard]] std::expected<std::optional<tunnel::PrivateKey>, std::string> read_edge_key(
    const StateFolder& state);
[[nodiscard]] std::expected<void, std::string> write_edge_key(const StateFolder& state,
                                                              const tunnel::PrivateKey& key);
// Everyone who may come: those of the state folder, then those of the configuration, since the
// addresses of the former are in their tickets.
[[nodiscard]] std::expected<edge::SidecarRegistry, std::string> read_registry(
    const edge::EdgeConfiguration& configuration, const StateFolder& state);

}  // namespace sidestream::cli
