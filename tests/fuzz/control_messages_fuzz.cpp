// What parses as a control message has a text form that parses to the same.
#include "control/control_codes.h"
#include "control/control_messages.h"

#include <cstdlib>

#include "streams/bytes.h"

using namespace sidestream::control;

namespace {
template <typename Message>
void check(std::string_view text, Parsed<Message> (*parse)(std::string_view)) {
  const Parsed<Message> message = parse(text);
  if (message && parse(serialize(*message)) != message) std::abort();
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view text = sidestream::text_of({bytes, size});
  check(text, &parse_session_answer);
  check(text, &parse_state_request);
  check(text, &parse_state_answer);
  check(text, &parse_heartbeat_request);
  check(text, &parse_heartbeat_answer);
  static_cast<void>(parse_session_request(text));
  static_cast<void>(parse_refusal(text));
  return 0;
}
