// `acme` of sidecar.yaml: which authority, and as whom.
#pragma once

#include <optional>
#include <string>

#include "sidecar/acme_jws.h"
#include "sidecar/backend_address.h"
#include "streams/configuration_reader.h"

namespace sidestream::sidecar {

struct AcmeSettings {
  std::string email;  // empty: none
  std::string directory = "https://acme-v02.api.letsencrypt.org/directory";
  std::string profile;  // empty: the authority's default
  std::optional<AcmeBinding> binding;
  // Who writes TXT records, by which names are proven then (dns-01); none: tls-alpn-01.
  std::optional<BackendAddress> dns_hook;
  bool by_http = false;  // names are proven by http-01
  std::string ca;  // path of authorities that are trusted instead of the system's; empty: those
  bool operator==(const AcmeSettings&) const = default;
};

[[nodiscard]] AcmeSettings read_acme_settings(const ConfigurationValue& value);

// An https URL in its parts; nullopt: it is none that can be asked.
struct AcmeUrl {
  std::string host;  // a name, or an address without brackets
  std::uint16_t port = 443;
  std::string authority;  // as it stands in the URL, for the Host field
  std::string target;     // begins with a slash
};
[[nodiscard]] std::optional<AcmeUrl> parse_acme_url(std::string_view url);

}  // namespace sidestream::sidecar
