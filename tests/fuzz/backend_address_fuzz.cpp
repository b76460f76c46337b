// Backends and hosts have a text that parses to the same.
#include "sidecar/backend_address.h"

#include <cstdlib>

#include "streams/bytes.h"
#include "streams/host_port.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using sidestream::sidecar::BackendAddress;
  const std::string_view text = sidestream::text_of({bytes, size});
  const auto backend = BackendAddress::parse(text);
  if (backend && BackendAddress::parse(backend->text()) != backend) std::abort();
  if (!backend && backend.error().find('\n') != std::string::npos) std::abort();
  const auto host = sidestream::HostPort::parse(text);
  if (host && sidestream::HostPort::parse(host->text()) != host) std::abort();
  if (host && !sidestream::check_host(host->host)) std::abort();
  return 0;
}
