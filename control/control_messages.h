// The messages of the control protocol, version 1, as values and as JSON. docs/protocols/control.md
// says when they are sent, docs/protocols/control.openapi.yaml what they look like.
//
// Parsing is strict about kinds, ranges and sizes and ignores members that it does not know; a
// change that must be understood raises `protocol_version`. Errors are sentences that name the
// member (`endpoints[3].port: expected …`).
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "control/ban_messages.h"
#include "control/control_codes.h"

namespace sidestream::control {

inline constexpr unsigned protocol_version = 1;
// On the edge's tunnel address. Ours: not registered for anything that would be met there.
inline constexpr std::uint16_t control_port = 5151;

inline constexpr std::string_view session_target = "/v1/session";      // POST
inline constexpr std::string_view state_target = "/v1/state";          // PUT
inline constexpr std::string_view heartbeat_target = "/v1/heartbeat";  // POST

struct MessageLimits {
  std::size_t endpoints_max = 4096;      // in one message; a table may allow fewer
  std::size_t endpoint_bytes_max = 300;  // "*.", a name of 253 bytes, ":65535"
  std::size_t name_bytes_max = 128;      // services, instances, versions
  std::size_t session_bytes_max = 64;
  std::size_t sentence_bytes_max = 1024;
  // Of a body. An answer repeats each endpoint with a sentence.
  std::size_t request_bytes_max = 256 * 1024;
  std::size_t answer_bytes_max = 4 * 1024 * 1024;
};

// POST /v1/session: a sidecar process asks for a session of its own.
struct SessionRequest {
  unsigned protocol = protocol_version;
  std::string version;   // of the program, for status
  std::string instance;  // what tells two processes with one ticket apart, such as a host name
  // Of the process: another one has none of its streams. Empty: not known.
  std::string run{};
  bool operator==(const SessionRequest&) const = default;
};
struct SessionAnswer {
  std::string session;  // opaque to the sidecar
  std::chrono::seconds lease{0};
  std::string version;  // of the edge
  std::string run{};    // as in SessionRequest, of the edge
  bool operator==(const SessionAnswer&) const = default;
};

// The order among sidecars that publish the same endpoint: the greatest priority is used, equal
// ones share the streams.
inline constexpr unsigned priority_default = 100;
inline constexpr unsigned priority_max = 1000;

struct WantedEndpoint {
  std::string endpoint;  // in endpoint notation, not judged here
  std::string service;
  std::uint16_t port = 0;  // of the sidecar's tunnel address, where its streams are to arrive
  unsigned priority = priority_default;
  bool operator==(const WantedEndpoint&) const = default;
};

// PUT /v1/state: everything that the sidecar wants to have published.
struct StateRequest {
  std::string session;
  std::uint64_t sequence = 0;
  std::vector<WantedEndpoint> endpoints;
  // Whose streams need not be sent: a request, which concerns this sidecar's endpoints alone.
  std::vector<BannedNetwork> bans{};
  bool operator==(const StateRequest&) const = default;
};

struct EndpointAnswer {
  std::string endpoint;  // as it was in the request
  EndpointState state = EndpointState::refused;
  Reason reason = Reason::none;
  std::string sentence;  // what is wrong and what to do; empty when granted
  bool operator==(const EndpointAnswer&) const = default;
};

// In the order of the request. `revision` changes whenever an answer does.
struct StateAnswer {
  std::uint64_t revision = 0;
  std::chrono::seconds lease{0};
  std::vector<EndpointAnswer> endpoints;
  std::optional<std::uint64_t> bans{};  // that the edge honours; none: it does not know bans
  bool operator==(const StateAnswer&) const = default;
};

// POST /v1/heartbeat. `revision` is the one that the sidecar has seen last.
struct HeartbeatRequest {
  std::string session;
  std::uint64_t sequence = 0;
  std::uint64_t revision = 0;
  // Of the request before, for the edge's status and nothing else.
  std::optional<std::chrono::microseconds> round_trip = std::nullopt;
  bool operator==(const HeartbeatRequest&) const = default;
};
struct HeartbeatAnswer {
  std::uint64_t revision = 0;
  std::chrono::seconds lease{0};
  // All answers anew, when `revision` is not the one of the request.
  std::optional<std::vector<EndpointAnswer>> endpoints;
  bool operator==(const HeartbeatAnswer&) const = default;
};

// Why a whole message was refused, which has changed nothing then.
struct RefusalAnswer {
  Refusal refusal = Refusal::other;
  std::string sentence;
  bool operator==(const RefusalAnswer&) const = default;
};
// Parsers take a body; the error is one sentence. parse_refusal never fails: what cannot be read
// is `other` with a sentence that says so.
template <typename Message>
using Parsed = std::expected<Message, std::string>;

[[nodiscard]] Parsed<SessionRequest> parse_session_request(std::string_view body);
[[nodiscard]] Parsed<SessionAnswer> parse_session_answer(std::string_view body);
[[nodiscard]] Parsed<StateRequest> parse_state_request(std::string_view body);
[[nodiscard]] Parsed<StateAnswer> parse_state_answer(std::string_view body);
[[nodiscard]] Parsed<HeartbeatRequest> parse_heartbeat_request(std::string_view body);
[[nodiscard]] Parsed<HeartbeatAnswer> parse_heartbeat_answer(std::string_view body);
[[nodiscard]] RefusalAnswer parse_refusal(std::string_view body);

[[nodiscard]] std::string serialize(const SessionRequest& message);
[[nodiscard]] std::string serialize(const SessionAnswer& message);
[[nodiscard]] std::string serialize(const StateRequest& message);
[[nodiscard]] std::string serialize(const StateAnswer& message);
[[nodiscard]] std::string serialize(const HeartbeatRequest& message);
[[nodiscard]] std::string serialize(const HeartbeatAnswer& message);
[[nodiscard]] std::string serialize(const RefusalAnswer& message);

}  // namespace sidestream::control
