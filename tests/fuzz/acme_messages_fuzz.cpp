// Whatever an authority says, it is a message or a sentence about why not.
#include "sidecar/acme_messages.h"

#include <cstdlib>

#include "sidecar/acme_settings.h"
#include "streams/tls_account_key.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace sidestream::sidecar;
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  const auto directory = parse_directory(text);
  if (directory && !parse_acme_url(directory->new_nonce)) std::abort();
  if (const auto order = parse_order(text); !order && order.error().empty()) std::abort();
  const auto authorization = parse_authorization(text, "dns-01");
  if (!authorization && authorization.error().empty()) std::abort();
  if (parse_problem(text).detail.size() > 10'000) std::abort();
  (void)parse_renewal(text);
  (void)sidestream::TlsAccountKey::parse(text);
  return 0;
}
