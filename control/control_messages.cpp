#include "control/control_messages.h"

#include <limits>

#include "control/json_fields.h"

namespace sidestream::control {
namespace {

constexpr MessageLimits limits;
constexpr std::uint64_t number_max = std::numeric_limits<std::uint64_t>::max();
constexpr std::uint64_t lease_seconds_max = 3600;
constexpr std::uint64_t round_trip_us_max = 3'600'000'000;

JsonLimits json_limits(std::size_t bytes_max) {
  JsonLimits json;
  json.bytes_max = bytes_max;
  json.values_max = limits.endpoints_max * 6 + BanLimits{}.bans_told_max * 3 + 64;
  return json;
}

template <typename Message>
Parsed<Message> parse_body(std::string_view body, std::size_t bytes_max,
                           Message (*read)(JsonFields&)) {
  return read_json<Message>(body, json_limits(bytes_max), read);
}

std::chrono::seconds read_lease(JsonFields& fields) {
  return std::chrono::seconds(
      static_cast<std::int64_t>(fields.number("lease_seconds", 1, lease_seconds_max)));
}

Json lease_json(std::chrono::seconds lease) {
  return Json(std::int64_t{lease.count()});
}

SessionRequest read_session_request(JsonFields& fields) {
  SessionRequest message;
  message.protocol = static_cast<unsigned>(
      fields.number("protocol", 1, std::numeric_limits<std::uint16_t>::max()));
  // What another version means by the rest is not ours to judge.
  if (message.protocol != protocol_version) return message;
  message.version = fields.text("version", limits.name_bytes_max);
  message.instance = fields.optional_text("instance", limits.name_bytes_max).value_or("");
  message.run = fields.optional_text("run", limits.session_bytes_max).value_or("");
  return message;
}

SessionAnswer read_session_answer(JsonFields& fields) {
  SessionAnswer message;
  message.session = fields.text("session", limits.session_bytes_max);
  message.lease = read_lease(fields);
  message.version = fields.text("version", limits.name_bytes_max);
  message.run = fields.optional_text("run", limits.session_bytes_max).value_or("");
  return message;
}

StateRequest read_state_request(JsonFields& fields) {
  StateRequest message;
  message.session = fields.text("session", limits.session_bytes_max);
  message.sequence = fields.number("sequence", 1, number_max);
  const JsonArray& endpoints = fields.array("endpoints", limits.endpoints_max);
  message.endpoints.reserve(endpoints.size());
  for (std::size_t i = 0; i < endpoints.size(); ++i) {
    JsonFields element = fields.element("endpoints", endpoints, i);
    WantedEndpoint wanted;
    wanted.endpoint = element.text("endpoint", limits.endpoint_bytes_max);
    wanted.service = element.text("service", limits.name_bytes_max);
    wanted.port = static_cast<std::uint16_t>(
        element.number("port", 1, std::numeric_limits<std::uint16_t>::max()));
    wanted.priority = static_cast<unsigned>(
        element.optional_number("priority", 0, priority_max).value_or(priority_default));
    message.endpoints.push_back(std::move(wanted));
  }
  if (fields.has("bans"))
    message.bans = read_banned_networks(fields, "bans", BanLimits{}.bans_told_max);
  return message;
}

std::vector<EndpointAnswer> read_answers(JsonFields& fields, const JsonArray& array) {
  std::vector<EndpointAnswer> answers;
  answers.reserve(array.size());
  for (std::size_t i = 0; i < array.size(); ++i) {
    JsonFields element = fields.element("endpoints", array, i);
    EndpointAnswer answer;
    answer.endpoint = element.text("endpoint", limits.endpoint_bytes_max);
    const auto state = parse_endpoint_state(element.text("state", limits.name_bytes_max));
    if (!state) element.refuse("state", "expected granted, waiting or refused");
    answer.state = state.value_or(EndpointState::refused);
    if (answer.state != EndpointState::granted) {
      answer.reason = parse_reason(element.text("reason", limits.name_bytes_max));
      answer.sentence = element.text("sentence", limits.sentence_bytes_max);
    }
    answers.push_back(std::move(answer));
  }
  return answers;
}

StateAnswer read_state_answer(JsonFields& fields) {
  StateAnswer message;
  message.revision = fields.number("revision", 0, number_max);
  message.lease = read_lease(fields);
  message.endpoints = read_answers(fields, fields.array("endpoints", limits.endpoints_max));
  message.bans = fields.optional_number("bans", 0, BanLimits{}.bans_told_max);
  return message;
}

HeartbeatRequest read_heartbeat_request(JsonFields& fields) {
  HeartbeatRequest message;
  message.session = fields.text("session", limits.session_bytes_max);
  message.sequence = fields.number("sequence", 1, number_max);
  message.revision = fields.number("revision", 0, number_max);
  if (const auto time = fields.optional_number("round_trip_us", 0, round_trip_us_max))
    message.round_trip = std::chrono::microseconds(static_cast<std::int64_t>(*time));
  return message;
}

HeartbeatAnswer read_heartbeat_answer(JsonFields& fields) {
  HeartbeatAnswer message;
  message.revision = fields.number("revision", 0, number_max);
  message.lease = read_lease(fields);
  if (const JsonArray* array = fields.optional_array("endpoints", limits.endpoints_max)) {
    message.endpoints = read_answers(fields, *array);
  }
  return message;
}

RefusalAnswer read_refusal(JsonFields& fields) {
  RefusalAnswer message;
  message.refusal = parse_refusal_code(fields.text("error", limits.name_bytes_max));
  message.sentence = fields.text("sentence", limits.sentence_bytes_max);
  return message;
}

JsonArray answers_json(const std::vector<EndpointAnswer>& answers) {
  JsonArray array;
  array.reserve(answers.size());
  for (const EndpointAnswer& answer : answers) {
    JsonObject object{{"endpoint", answer.endpoint}, {"state", text_of(answer.state)}};
    if (answer.state != EndpointState::granted) {
      object.add("reason", text_of(answer.reason));
      object.add("sentence", answer.sentence);
    }
    array.emplace_back(std::move(object));
  }
  return array;
}

}  // namespace

Parsed<SessionRequest> parse_session_request(std::string_view body) {
  return parse_body(body, limits.request_bytes_max, &read_session_request);
}
Parsed<SessionAnswer> parse_session_answer(std::string_view body) {
  return parse_body(body, limits.answer_bytes_max, &read_session_answer);
}
Parsed<StateRequest> parse_state_request(std::string_view body) {
  return parse_body(body, limits.request_bytes_max, &read_state_request);
}
Parsed<StateAnswer> parse_state_answer(std::string_view body) {
  return parse_body(body, limits.answer_bytes_max, &read_state_answer);
}
Parsed<HeartbeatRequest> parse_heartbeat_request(std::string_view body) {
  return parse_body(body, limits.request_bytes_max, &read_heartbeat_request);
}
Parsed<HeartbeatAnswer> parse_heartbeat_answer(std::string_view body) {
  return parse_body(body, limits.answer_bytes_max, &read_heartbeat_answer);
}

RefusalAnswer parse_refusal(std::string_view body) {
  const auto parsed = parse_body(body, limits.request_bytes_max, &read_refusal);
  if (parsed) return *parsed;
  return {Refusal::other, "the answer cannot be read: " + parsed.error()};
}

std::string serialize(const SessionRequest& message) {
  JsonObject object{
      {"protocol", message.protocol}, {"version", message.version}, {"instance", message.instance}};
  if (!message.run.empty()) object.add("run", message.run);
  return serialize_json(object);
}

std::string serialize(const SessionAnswer& message) {
  JsonObject object{{"session", message.session},
                    {"lease_seconds", lease_json(message.lease)},
                    {"version", message.version}};
  if (!message.run.empty()) object.add("run", message.run);
  return serialize_json(object);
}

std::string serialize(const StateRequest& message) {
  JsonArray endpoints;
  endpoints.reserve(message.endpoints.size());
  for (const WantedEndpoint& wanted : message.endpoints) {
    endpoints.emplace_back(JsonObject{{"endpoint", wanted.endpoint},
                                      {"service", wanted.service},
                                      {"port", unsigned{wanted.port}},
                                      {"priority", wanted.priority}});
  }
  JsonObject object{{"session", message.session},
                    {"sequence", message.sequence},
                    {"endpoints", std::move(endpoints)}};
  if (!message.bans.empty()) object.add("bans", banned_networks_json(message.bans));
  return serialize_json(object);
}

std::string serialize(const StateAnswer& message) {
  JsonObject object{{"revision", message.revision},
                    {"lease_seconds", lease_json(message.lease)},
                    {"endpoints", answers_json(message.endpoints)}};
  if (message.bans) object.add("bans", *message.bans);
  return serialize_json(object);
}

std::string serialize(const HeartbeatRequest& message) {
  JsonObject object{
      {"session", message.session}, {"sequence", message.sequence}, {"revision", message.revision}};
  if (message.round_trip)
    object.add("round_trip_us", Json(std::int64_t{message.round_trip->count()}));
  return serialize_json(object);
}

std::string serialize(const HeartbeatAnswer& message) {
  JsonObject object{{"revision", message.revision}, {"lease_seconds", lease_json(message.lease)}};
  if (message.endpoints) object.add("endpoints", answers_json(*message.endpoints));
  return serialize_json(object);
}

std::string serialize(const RefusalAnswer& message) {
  return serialize_json(
      JsonObject{{"error", text_of(message.refusal)}, {"sentence", message.sentence}});
}

}  // namespace sidestream::control
