#include "cli/edge_state_io.h"

#include <string_view>
#include <utility>

#include "edge/edge_io.h"
#include "streams/base64.h"

namespace sidestream::cli {
namespace {

constexpr std::string_view key_file = "edge.key";

}  // namespace

std::expected<std::optional<tunnel::PrivateKey>, std::string> read_edge_key(
    const StateFolder& state) {
  const auto kept = state.read(key_file);
  if (!kept) return std::unexpected(kept.error());
  if (!*kept) return std::nullopt;
  std::string_view text = **kept;
  if (text.ends_with('\n')) text.remove_suffix(1);
  const auto key = tunnel::PrivateKey::parse(text);
  if (key) return *key;
  return std::unexpected(state.path_of(key_file) +
                         " does not hold a private key; bring it back from a copy, or remove it: "
                         "the edge makes a new one, and all tickets have to be made anew");
}

std::expected<void, std::string> write_edge_key(const StateFolder& state,
                                                const tunnel::PrivateKey& key) {
  return state.write(key_file, serialize_base64(key.reveal()) + "\n");
}

std::expected<edge::SidecarRegistry, std::string> read_registry(
    const edge::EdgeConfiguration& configuration, const StateFolder& state) {
  edge::SidecarRegistry registry(configuration.network);
  const auto kept = state.read(edge::Edge::registry_file);
  if (!kept) return std::unexpected(kept.error());
  if (*kept) {
    if (auto loaded = registry.load(**kept); !loaded)
      return std::unexpected(state.path_of(edge::Edge::registry_file) + ": " + loaded.error() +
                             "; if tunnel.network was changed, put the old one back: tickets hold "
                             "its addresses");
  }
  for (const edge::SidecarEntry& entry : configuration.sidecars) {
    edge::EnrolledSidecar sidecar;
    sidecar.name = entry.name;
    sidecar.public_key = entry.public_key;
    sidecar.preshared_key = entry.preshared_key;
    sidecar.allow = entry.allow;
    if (auto added = registry.add_configured(std::move(sidecar), entry.address); !added)
      return std::unexpected("sidecars." + entry.name + ": " + added.error());
  }
  registry.retire_missing();
  return registry;
}

}  // namespace sidestream::cli
