// What DNS says of the names that a sidecar publishes: whether they lead to its edges, and who
// could get certificates for them.
#pragma once

#include <string>
#include <vector>

#include "cli/caa_judgement.h"
#include "cli/dns_client_io.h"
#include "cli/doctor_report.h"
#include "sidecar/sidecar_configuration.h"

namespace sidestream::cli {

class NameDoctor {
 public:
  // `client` outlives it. `wish` is for names whose certificates come from an authority, with its
  // account as far as that is known.
  NameDoctor(DnsClient& client, CaaWish wish) : client_(client), wish_(std::move(wish)) {}

  // All names of all services, one after the other.
  Task<std::vector<Finding>> examine(const sidecar::SidecarConfiguration& configuration);

 private:
  Task<> find_edges(const sidecar::SidecarConfiguration& configuration);
  Task<> examine_address(ServerName name);
  Task<> examine_caa(ServerName name);
  // The addresses of a name; the error is one line.
  Task<std::expected<std::vector<IpAddress>, std::string>> addresses_of(ServerName name);
  void tell(Finding::Kind kind, std::string text);

  DnsClient& client_;
  CaaWish wish_;
  std::vector<IpAddress> edges_;  // empty: not known
  std::vector<Finding> findings_;
};

// What is known of the account in the state folder.
[[nodiscard]] CaaWish caa_wish(const sidecar::SidecarConfiguration& configuration);

}  // namespace sidestream::cli
