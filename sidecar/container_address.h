// Under which host name or address a sidecar reaches a container.
#pragma once

#include <expected>
#include <functional>
#include <optional>
#include <string>

#include "sidecar/container.h"

namespace sidestream::sidecar {

// Where the sidecar itself is.
struct OwnPlace {
  // Its container; none: it runs on the engine's host, or in a container that the engine does not
  // know.
  const Container* container = nullptr;
  bool on_host = true;  // without a container of its own
};

// The container with this ID; nullptr when it is not known.
using FindContainer = std::function<const Container*(const std::string& id)>;

// Its name where both are in a network that has names, which then is resolved at each dial; else
// its address. The error says why it cannot be reached and what to do.
[[nodiscard]] std::expected<std::string, std::string> reachable_host(const Container& container,
                                                                     const OwnPlace& own,
                                                                     const FindContainer& find);

}  // namespace sidestream::sidecar
