// Where a backend is: `HOST:PORT`, `[ADDRESS]:PORT`, the same after `tls://`, or `unix:PATH`. Names
// are not resolved here.
#pragma once

#include <compare>
#include <expected>
#include <string>
#include <string_view>

#include "streams/host_port.h"

namespace sidestream::sidecar {

struct BackendAddress {
  HostPort host_port{};     // unused when unix_path is set
  std::string unix_path{};  // absolute; empty: not a Unix socket
  bool tls = false;         // it is spoken to in TLS

  // The error is one line for a person: the text in quotes, what is wrong, what to write instead.
  static std::expected<BackendAddress, std::string> parse(std::string_view text);
  // Parses to the same value.
  [[nodiscard]] std::string text() const;
  auto operator<=>(const BackendAddress&) const = default;
};

}  // namespace sidestream::sidecar
