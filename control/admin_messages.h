// What is said on the admin socket beside the status documents (status_messages.h): enrolling and
// revoking sidecars, and the health of the program. HTTP and JSON as in the control protocol;
// refusals have the form of error_response (http_server_io.h).
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "control/http_message.h"

namespace sidestream::control {

inline constexpr std::string_view status_target = "/v1/status";    // GET: EdgeStatus, SidecarStatus
inline constexpr std::string_view health_target = "/v1/health";    // GET: HealthAnswer
inline constexpr std::string_view invite_target = "/v1/sidecars";  // POST: an edge only
inline constexpr std::string_view revoke_target = "/v1/revoke";    // POST: an edge only
// What our own requests say in Host.
inline constexpr std::string_view admin_host = "admin";

struct AdminLimits {
  std::size_t name_bytes_max = 128;
  std::size_t patterns_max = 256;
  std::size_t pattern_bytes_max = 320;
  std::size_t ticket_bytes_max = 4096;
  std::size_t sentence_bytes_max = 1024;
  std::size_t body_bytes_max = 256 * 1024;
};

// Whether the program does what it is for; an unhealthy one answers with status 503.
struct HealthAnswer {
  bool healthy = false;
  std::string sentence;  // why not; empty when healthy
  bool operator==(const HealthAnswer&) const = default;
};

struct InviteRequest {
  std::string name;
  std::vector<std::string> allow;  // endpoint patterns
  bool operator==(const InviteRequest&) const = default;
};
// The ticket is a secret and is said this once.
struct InviteAnswer {
  std::string ticket;
  bool operator==(const InviteAnswer&) const = default;
};

struct RevokeRequest {
  std::string name;
  bool operator==(const RevokeRequest&) const = default;
};
struct RevokeAnswer {
  std::uint64_t endpoints = 0;  // that were withdrawn
  std::uint64_t streams = 0;    // that were ended
  bool operator==(const RevokeAnswer&) const = default;
};

// {"error": …, "sentence": …} of a status other than 200 and 503.
struct AdminRefusal {
  std::string error;
  std::string sentence;
  bool operator==(const AdminRefusal&) const = default;
};

// The error is one sentence that names the member.
template <typename Message>
using AdminParsed = std::expected<Message, std::string>;

// Whether a request comes from a program and not from a web page that somebody on this machine
// looks at: a browser says where a page comes from (Origin), and cannot hide the name by which it
// reached us (Host).
[[nodiscard]] bool is_from_a_program(const HttpRequest& request);

[[nodiscard]] AdminParsed<HealthAnswer> parse_health_answer(std::string_view body);
[[nodiscard]] AdminParsed<InviteRequest> parse_invite_request(std::string_view body);
[[nodiscard]] AdminParsed<InviteAnswer> parse_invite_answer(std::string_view body);
[[nodiscard]] AdminParsed<RevokeRequest> parse_revoke_request(std::string_view body);
[[nodiscard]] AdminParsed<RevokeAnswer> parse_revoke_answer(std::string_view body);
// Never fails: what cannot be read becomes a sentence that says so.
[[nodiscard]] AdminRefusal parse_admin_refusal(std::string_view body);

[[nodiscard]] std::string serialize(const HealthAnswer& message);
[[nodiscard]] std::string serialize(const InviteRequest& message);
[[nodiscard]] std::string serialize(const InviteAnswer& message);
[[nodiscard]] std::string serialize(const RevokeRequest& message);
[[nodiscard]] std::string serialize(const RevokeAnswer& message);

}  // namespace sidestream::control
