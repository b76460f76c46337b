// Asks somebody else to write the TXT records by which names are proven (dns-01): JSON over HTTP,
// as programs for lego's `httpreq` speak it.
#pragma once

#include <expected>
#include <string>

#include "sidecar/acme_order_dialogue.h"
#include "sidecar/backend_address.h"
#include "streams/network_io.h"

namespace sidestream::sidecar {

class AcmeDnsHook {
 public:
  // `network` outlives it.
  AcmeDnsHook(Network& network, BackendAddress address)
      : network_(network), address_(std::move(address)) {}

  // `POST /present`: the record is to be there, and known to the world, when it answers. The error
  // is one line for a person. Throws only when it is cancelled.
  Task<std::expected<void, std::string>> present(const AcmeChallenge& challenge);
  // `POST /cleanup`: the record is not needed any longer.
  Task<std::expected<void, std::string>> clean_up(const AcmeChallenge& challenge);

 private:
  Task<std::expected<void, std::string>> post(std::string target, std::string body);
  Task<unsigned> exchange(std::string target, std::string body);

  Network& network_;
  const BackendAddress address_;
};

}  // namespace sidestream::sidecar
