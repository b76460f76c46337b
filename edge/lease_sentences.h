// What the edge tells a sidecar's owner about an endpoint or a message that it did not accept: what
// is wrong and what to do about it, in one line.
#pragma once

#include <string>
#include <string_view>

#include "control/control_messages.h"

namespace sidestream::edge {

// What a sentence may mention; only those that its reason needs are read.
struct SentenceFacts {
  std::string_view sidecar = {};
  const control::WantedEndpoint* wanted = nullptr;
  std::uint16_t port = 0;               // of the endpoint, on the edge
  std::string_view public_ports = {};   // port_not_open
  std::string_view detail = {};         // bad_endpoint: the parser's; listener_failed: why;
                                        // router_behind: what is wrong
  std::string_view other_service = {};  // duplicate: the one that has it
  unsigned other_priority = 0;          // standby
  std::size_t endpoints_max = 0;        // too_many
};
[[nodiscard]] std::string explain(control::Reason reason, const SentenceFacts& facts);

// `instance` is that of the session in force, for session_superseded.
[[nodiscard]] std::string explain(control::Refusal refusal, std::string_view instance);

}  // namespace sidestream::edge
