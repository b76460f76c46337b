// By which of a service's endpoints a stream has come, for the log: the edge says the port that the
// client has dialled and, where it fits into the PROXY header, the server name.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "control/endpoint.h"

namespace sidestream::sidecar {

// In endpoint notation. What fits none of `publish` is told as it is: an edge that is only a router
// may listen on other ports than ours.
[[nodiscard]] std::string stream_endpoint(std::span<const control::Endpoint> publish,
                                          const std::optional<ServerName>& name,
                                          std::uint16_t port);

}  // namespace sidestream::sidecar
