#include "control/control_codes.h"

#include <array>
#include <utility>

namespace sidestream::control {
namespace {

template <typename Code, std::size_t Size>
using Texts = std::array<std::pair<Code, std::string_view>, Size>;

constexpr Texts<EndpointState, 3> states{{
    {EndpointState::granted, "granted"},
    {EndpointState::waiting, "waiting"},
    {EndpointState::refused, "refused"},
}};

constexpr Texts<Reason, 12> reasons{{
    {Reason::none, "none"},
    {Reason::standby, "standby"},
    {Reason::listener_opening, "listener_opening"},
    {Reason::listener_failed, "listener_failed"},
    {Reason::router_behind, "router_behind"},
    {Reason::not_allowed, "not_allowed"},
    {Reason::held_by_another, "held_by_another"},
    {Reason::port_not_open, "port_not_open"},
    {Reason::bad_endpoint, "bad_endpoint"},
    {Reason::duplicate, "duplicate"},
    {Reason::too_many, "too_many"},
    {Reason::other, "other"},
}};

constexpr Texts<Refusal, 11> refusals{{
    {Refusal::bad_message, "bad_message"},
    {Refusal::unsupported_protocol, "unsupported_protocol"},
    {Refusal::unknown_sidecar, "unknown_sidecar"},
    {Refusal::revoked, "revoked"},
    {Refusal::session_unknown, "session_unknown"},
    {Refusal::session_superseded, "session_superseded"},
    {Refusal::stale_sequence, "stale_sequence"},
    {Refusal::too_many_requests, "too_many_requests"},
    {Refusal::not_found, "not_found"},
    {Refusal::method_not_allowed, "method_not_allowed"},
    {Refusal::other, "other"},
}};

template <typename Code, std::size_t Size>
std::string_view text_in(const Texts<Code, Size>& texts, Code code) {
  for (const auto& [known, text] : texts) {
    if (known == code) return text;
  }
  return "other";
}

template <typename Code, std::size_t Size>
std::optional<Code> code_in(const Texts<Code, Size>& texts, std::string_view text) {
  for (const auto& [code, known] : texts) {
    if (known == text) return code;
  }
  return std::nullopt;
}

}  // namespace

unsigned status_of(Refusal refusal) {
  switch (refusal) {
    case Refusal::unknown_sidecar:
    case Refusal::revoked:
      return 403;
    case Refusal::not_found:
      return 404;
    case Refusal::method_not_allowed:
      return 405;
    case Refusal::session_superseded:
    case Refusal::stale_sequence:
      return 409;
    case Refusal::session_unknown:
      return 410;
    case Refusal::unsupported_protocol:
      return 426;
    case Refusal::too_many_requests:
      return 429;
    case Refusal::bad_message:
    case Refusal::other:
      break;
  }
  return 400;
}

std::string_view text_of(EndpointState state) {
  return text_in(states, state);
}
std::string_view text_of(Reason reason) {
  return text_in(reasons, reason);
}
std::string_view text_of(Refusal refusal) {
  return text_in(refusals, refusal);
}

std::optional<EndpointState> parse_endpoint_state(std::string_view text) {
  return code_in(states, text);
}
Reason parse_reason(std::string_view text) {
  return code_in(reasons, text).value_or(Reason::other);
}
Refusal parse_refusal_code(std::string_view text) {
  return code_in(refusals, text).value_or(Refusal::other);
}

}  // namespace sidestream::control
