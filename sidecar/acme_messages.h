// What an ACME authority says (RFC 8555 section 7.1, RFC 9773), as far as a client has to know it.
// Errors are the end of a sentence that begins with what was asked.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "streams/time.h"

namespace sidestream::sidecar {

struct AcmeLimits {
  static constexpr std::size_t url_bytes_max = 2048;
  static constexpr std::size_t authorizations_max = 100;
  static constexpr std::size_t body_bytes_max = 128UL * 1024;
};

struct AcmeDirectory {
  std::string new_nonce;
  std::string new_account;
  std::string new_order;
  std::string renewal_url;  // empty: not offered
  bool binding_required = false;
  std::vector<std::string> profiles;  // by name
  std::vector<std::string> issuers;   // what it is called in CAA records; empty: it does not say
};
std::expected<AcmeDirectory, std::string> parse_directory(std::string_view body);

struct AcmeOrder {
  std::string status;  // pending, ready, processing, valid, invalid
  std::vector<std::string> authorizations;
  std::string finalize;
  std::string certificate;  // empty: not yet
  std::string problem;      // why it is invalid
};
std::expected<AcmeOrder, std::string> parse_order(std::string_view body);

struct AcmeAuthorization {
  std::string name;
  std::string status;  // pending, valid, invalid, deactivated, expired, revoked
  // Of the challenge that was asked for; empty: it is not offered.
  std::string challenge;
  std::string token;
  std::string problem;  // why it is invalid
};
std::expected<AcmeAuthorization, std::string> parse_authorization(std::string_view body,
                                                                  std::string_view challenge);

// RFC 7807. What is no such document is told as it is, cut short.
struct AcmeProblem {
  std::string type;  // `badNonce`, without urn:ietf:params:acme:error:
  std::string detail;
};
AcmeProblem parse_problem(std::string_view body);

// What is kept of an account beside its key, for whoever writes CAA records (RFC 8657).
struct AcmeAccountFacts {
  std::string url;
  std::vector<std::string> issuers;  // of its authority
  bool operator==(const AcmeAccountFacts&) const = default;
};
std::expected<AcmeAccountFacts, std::string> parse_account_facts(std::string_view text);
[[nodiscard]] std::string serialize(const AcmeAccountFacts& facts);

struct AcmeRenewalWindow {
  WallTime start;
  WallTime end;
};
std::expected<AcmeRenewalWindow, std::string> parse_renewal(std::string_view body);

}  // namespace sidestream::sidecar
