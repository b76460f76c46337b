// The closed lists of the control protocol: how an endpoint fares, why, and why a whole message is
// refused, with their texts on the wire.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace sidestream::control {

enum class EndpointState : std::uint8_t { granted, waiting, refused };

enum class Reason : std::uint8_t {
  none,              // granted
  standby,           // waiting: another sidecar has it with a greater priority
  listener_opening,  // waiting: the edge is about to listen on that port
  listener_failed,   // waiting: the edge cannot listen on that port; it keeps trying
  router_behind,     // waiting: the edge's router, another program, does not have it yet
  not_allowed,       // refused: no pattern of the sidecar's allow list covers it
  held_by_another,   // refused: another sidecar's allow list names it more specifically
  port_not_open,     // refused: the port is not among the edge's public ports
  bad_endpoint,      // refused: not endpoint notation
  duplicate,         // refused: listed twice in one state
  too_many,          // refused: more endpoints than one sidecar may publish
  other,             // a reason that this version does not know; the sentence says it
};

// Why a whole message was refused. It has changed nothing.
enum class Refusal : std::uint8_t {
  bad_message,
  unsupported_protocol,
  unknown_sidecar,     // the tunnel address belongs to no sidecar
  revoked,             // it belonged to one that was revoked; there is no way back
  session_unknown,     // of another run of the edge, or its leases have ended: open a new one
  session_superseded,  // a newer session of this sidecar has published
  stale_sequence,      // not greater than the last one
  too_many_requests,
  not_found,
  method_not_allowed,
  other,
};
// The HTTP status of the answer.
[[nodiscard]] unsigned status_of(Refusal refusal);

[[nodiscard]] std::string_view text_of(EndpointState state);
[[nodiscard]] std::string_view text_of(Reason reason);
[[nodiscard]] std::string_view text_of(Refusal refusal);
// An unknown state has no safe meaning; an unknown reason or refusal is `other`.
[[nodiscard]] std::optional<EndpointState> parse_endpoint_state(std::string_view text);
[[nodiscard]] Reason parse_reason(std::string_view text);
[[nodiscard]] Refusal parse_refusal_code(std::string_view text);

}  // namespace sidestream::control
