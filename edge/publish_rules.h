// Who may publish what on this edge: the allow lists of all sidecars and the public ports. Whether
// a sidecar is there at the moment plays no part, so the name of one that is away is not for the
// taking.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "control/control_codes.h"
#include "control/endpoint.h"
#include "control/endpoint_pattern.h"
#include "streams/ip_address.h"

namespace sidestream::edge {

struct PortRange {
  std::uint16_t low = 0;
  std::uint16_t high = 0;
  bool operator==(const PortRange&) const = default;
};

struct AllowedSidecar {
  std::string name;
  IpAddress tunnel_address;
  std::vector<control::EndpointPattern> allow;
  bool operator==(const AllowedSidecar&) const = default;
};

struct PublishVerdict {
  control::Reason reason = control::Reason::none;  // none: allowed
  std::string owner;                               // held_by_another: one of the owners
};

class PublishRules {
 public:
  // Names are unique; of two with the same one the first counts.
  void set_sidecars(std::span<const AllowedSidecar> sidecars);
  void set_public_ports(std::vector<PortRange> ports) { ports_ = std::move(ports); }

  // none, not_allowed, held_by_another or port_not_open. An unknown sidecar may publish nothing.
  [[nodiscard]] PublishVerdict judge(std::string_view sidecar,
                                     const control::Endpoint& endpoint) const;

  // The names below a published wildcard that belong to others than `holders`, by a pattern that
  // names them. Their streams must never go to a holder of the wildcard, whether the owner is
  // there or not. Empty for an endpoint that is no wildcard.
  [[nodiscard]] std::vector<control::Endpoint> kept_from(
      const control::Endpoint& wildcard, std::span<const std::string> holders) const;

  // `443, 50001-50002`.
  [[nodiscard]] std::string public_ports_text() const;

 private:
  [[nodiscard]] bool is_public(std::uint16_t port) const;
  [[nodiscard]] control::ClaimVerdict claim(std::string_view sidecar,
                                            const control::Endpoint& endpoint,
                                            std::vector<std::string_view>& others) const;

  std::map<std::string, std::vector<control::EndpointPattern>, std::less<>> allow_;
  std::vector<PortRange> ports_;
};

}  // namespace sidestream::edge
