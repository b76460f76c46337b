// What a sidecar may publish: the notation of `allow` in edge.yaml and of `sidestream invite`, and
// the rule that decides between sidecars whose patterns overlap.
//
// | pattern                   | covers                                                         |
// | ------------------------- | -------------------------------------------------------------- |
// | `NAME`                    | that name, on every port                                       |
// | `NAME:PORT`               | that name on that port only (`NAME:443` is not `NAME`)         |
// | `NAME:LOW-HIGH`           | that name on these ports                                       |
// | `*.example.com` and so on | every name one label below, and the wildcard endpoint          |
// |                           | `*.example.com` itself; neither `example.com` nor names deeper |
// | `:PORT`, `:LOW-HIGH`      | the port's own endpoint `:PORT`, and no name on that port      |
//
// Which ports are open for endpoints at all is another question, answered by the edge's `public`.
#pragma once

#include <compare>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "control/endpoint.h"

namespace sidestream::control {

struct EndpointPattern {
  std::optional<ServerName> name;
  std::uint16_t port_low = 1;
  std::uint16_t port_high = 65535;

  // The error is one line for a person, as Endpoint's.
  static std::expected<EndpointPattern, std::string> parse(std::string_view text);
  [[nodiscard]] std::string text() const;
  [[nodiscard]] bool covers(const Endpoint& endpoint) const;

  auto operator<=>(const EndpointPattern&) const = default;
};

// How closely a pattern says what it covers. The greater one is the more specific: the name itself
// before a wildcard, then fewer ports before more.
struct Specificity {
  bool exact_name = false;
  std::uint32_t ports_excluded = 0;
  auto operator<=>(const Specificity&) const = default;
};

// That of the most specific pattern that covers `endpoint`; none when none does.
[[nodiscard]] std::optional<Specificity> coverage(std::span<const EndpointPattern> patterns,
                                                  const Endpoint& endpoint);

// The ownership rule: an endpoint belongs to the sidecars whose allow list covers it most
// specifically. `*.example.com` for one sidecar does not reach `a.example.com` once the edge's
// owner has given that name to another one, online or not; equal claims share.
enum class Claim : std::uint8_t {
  granted,
  not_covered,     // no pattern of the sidecar's own covers it
  owned_by_other,  // another sidecar's pattern is more specific
};
struct ClaimVerdict {
  Claim claim = Claim::not_covered;
  std::size_t owner = 0;  // owned_by_other: the index into `others` of one that is more specific
};
// `own` is the allow list of the sidecar that claims, `others` are those of all other sidecars.
[[nodiscard]] ClaimVerdict decide_claim(const Endpoint& endpoint,
                                        std::span<const EndpointPattern> own,
                                        std::span<const std::span<const EndpointPattern>> others);

}  // namespace sidestream::control
