// Whatever a daemon answers becomes a value within the limits, or an error.
#include "tailnet/local_api_messages.h"

#include <cstdlib>

using namespace sidestream::tailnet;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string text(sidestream::text_of(sidestream::Bytes(bytes, size)));
  (void)parse_bus_message(text);
  (void)parse_ping(text);
  (void)parse_preferences(text);
  (void)parse_served_ports(text);
  if (error_text(text).contains('\n')) std::abort();
  const auto status = parse_status(text);
  if (status && status->self.tags.size() > LocalApiLimits::list_max) std::abort();
  const auto identity = parse_identity(text);
  if (identity && identity->user.empty() == identity->tags.empty()) std::abort();
  return 0;
}
