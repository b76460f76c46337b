#include "control/admin_messages.h"

#include <limits>
#include <utility>

#include "control/json_fields.h"
#include "streams/ip_address.h"

namespace sidestream::control {
namespace {

constexpr AdminLimits limits;
constexpr std::uint64_t number_max = std::numeric_limits<std::uint64_t>::max();

template <typename Message>
AdminParsed<Message> parse_body(std::string_view body, Message (*read)(JsonFields&)) {
  JsonLimits json_limits;
  json_limits.bytes_max = limits.body_bytes_max;
  return read_json<Message>(body, json_limits, read);
}

HealthAnswer read_health_answer(JsonFields& fields) {
  HealthAnswer message;
  message.healthy = fields.boolean("healthy");
  message.sentence = fields.optional_text("sentence", limits.sentence_bytes_max).value_or("");
  return message;
}

InviteRequest read_invite_request(JsonFields& fields) {
  InviteRequest message;
  message.name = fields.text("name", limits.name_bytes_max);
  const JsonArray& allow = fields.array("allow", limits.patterns_max);
  for (std::size_t i = 0; i < allow.size(); ++i) {
    message.allow.push_back(fields.element_text("allow", allow, i, limits.pattern_bytes_max));
  }
  return message;
}

InviteAnswer read_invite_answer(JsonFields& fields) {
  return {fields.text("ticket", limits.ticket_bytes_max)};
}

RevokeRequest read_revoke_request(JsonFields& fields) {
  return {fields.text("name", limits.name_bytes_max)};
}

RevokeAnswer read_revoke_answer(JsonFields& fields) {
  RevokeAnswer message;
  message.endpoints = fields.number("endpoints", 0, number_max);
  message.streams = fields.number("streams", 0, number_max);
  return message;
}

AdminRefusal read_admin_refusal(JsonFields& fields) {
  AdminRefusal message;
  message.error = fields.text("error", limits.name_bytes_max);
  message.sentence = fields.text("sentence", limits.sentence_bytes_max);
  return message;
}

}  // namespace

bool is_from_a_program(const HttpRequest& request) {
  if (find_field(request.fields, "origin") != nullptr) return false;
  const std::string* host = find_field(request.fields, "host");
  // A name that a stranger's DNS could point here has a dot; ours, localhost and those of
  // containers have none.
  if (host == nullptr || !host->contains('.') || host->starts_with('[')) return true;
  return IpAddress::parse(*host) || SocketAddress::parse(*host);
}

AdminParsed<HealthAnswer> parse_health_answer(std::string_view body) {
  return parse_body(body, &read_health_answer);
}
AdminParsed<InviteRequest> parse_invite_request(std::string_view body) {
  return parse_body(body, &read_invite_request);
}
AdminParsed<InviteAnswer> parse_invite_answer(std::string_view body) {
  return parse_body(body, &read_invite_answer);
}
AdminParsed<RevokeRequest> parse_revoke_request(std::string_view body) {
  return parse_body(body, &read_revoke_request);
}
AdminParsed<RevokeAnswer> parse_revoke_answer(std::string_view body) {
  return parse_body(body, &read_revoke_answer);
}

AdminRefusal parse_admin_refusal(std::string_view body) {
  auto parsed = parse_body(body, &read_admin_refusal);
  if (parsed) return std::move(*parsed);
  return {"other", "the answer cannot be read: " + parsed.error()};
}

std::string serialize(const HealthAnswer& message) {
  return serialize_json(JsonObject{{"healthy", message.healthy}, {"sentence", message.sentence}});
}

std::string serialize(const InviteRequest& message) {
  JsonArray allow;
  for (const std::string& pattern : message.allow) allow.emplace_back(pattern);
  return serialize_json(JsonObject{{"name", message.name}, {"allow", std::move(allow)}});
}

std::string serialize(const InviteAnswer& message) {
  return serialize_json(JsonObject{{"ticket", message.ticket}});
}

std::string serialize(const RevokeRequest& message) {
  return serialize_json(JsonObject{{"name", message.name}});
}

std::string serialize(const RevokeAnswer& message) {
  return serialize_json(JsonObject{{"endpoints", message.endpoints}, {"streams", message.streams}});
}

}  // namespace sidestream::control
