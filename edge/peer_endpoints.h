// From where each sidecar was last heard, and at which address of ours, kept over restarts: an edge
// that was started again shakes hands with all of them at once and need not wait until they miss
// it.
#pragma once

#include <expected>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "streams/ip_address.h"

namespace sidestream::edge {

struct PeerEndpoint {
  SocketAddress remote;
  std::optional<IpAddress> local{};  // of ours, that the sidecar calls; none: not known
  bool operator==(const PeerEndpoint&) const = default;
};

class PeerEndpoints {
 public:
  static constexpr std::size_t sidecars_max = 4096;  // more are not kept

  void set(std::string_view sidecar, const PeerEndpoint& endpoint);
  void forget(std::string_view sidecar);
  [[nodiscard]] std::optional<PeerEndpoint> find(std::string_view sidecar) const;

  // The state file. The error is a sentence; nothing has changed then.
  [[nodiscard]] std::string serialize() const;
  std::expected<void, std::string> load(std::string_view text);

  bool operator==(const PeerEndpoints&) const = default;

 private:
  std::map<std::string, PeerEndpoint, std::less<>> endpoints_;
};

}  // namespace sidestream::edge
