// What parses as an admin message or a status document has a text that parses to the same.
#include "control/admin_messages.h"

#include <cstdlib>

#include "control/ban_messages.h"
#include "control/json_fields.h"
#include "control/status_messages.h"
#include "streams/bytes.h"

using namespace sidestream::control;

namespace {
template <typename Message, typename Parser>
void check(const Message& message, Parser parse) {
  if (message && parse(serialize(*message)) != message) std::abort();
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view text = sidestream::text_of({bytes, size});
  check(parse_health_answer(text), &parse_health_answer);
  check(parse_invite_request(text), &parse_invite_request);
  check(parse_revoke_answer(text), &parse_revoke_answer);
  check(parse_ban_request(text), &parse_ban_request);
  check(parse_kept_bans(text), &parse_kept_bans);
  const auto status = parse_status(text);
  if (!status) return 0;
  const auto again = std::visit([](const auto& one) { return serialize(one); }, *status);
  if (parse_status(again) != status) std::abort();
  return 0;
}
