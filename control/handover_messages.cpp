#include "control/handover_messages.h"

#include <limits>
#include <utility>

#include "control/json_fields.h"
#include "streams/base64.h"
#include "tunnel/link_messages.h"

namespace sidestream::control {
namespace {

constexpr HandoverLimits limits;

HandoverHello read_hello(JsonFields& fields) {
  HandoverHello message;
  message.protocol = static_cast<unsigned>(
      fields.number("protocol", 0, std::numeric_limits<std::uint32_t>::max()));
  message.program = fields.text("program", limits.name_bytes_max);
  message.version = fields.text("version", limits.name_bytes_max);
  return message;
}

HandoverOffer read_offer(JsonFields& fields) {
  HandoverOffer message;
  message.version = fields.text("version", limits.name_bytes_max);
  const JsonArray& descriptors = fields.array("descriptors", limits.descriptors_max);
  for (std::size_t i = 0; i < descriptors.size(); ++i)
    message.descriptors.push_back(
        fields.element_text("descriptors", descriptors, i, limits.name_bytes_max));
  message.document = fields.text("document", limits.document_bytes_max);
  return message;
}

Json to_json(const std::vector<tunnel::TcpEnds>& connections) {
  return serialize_base64(tunnel::serialize(connections));
}

std::vector<tunnel::TcpEnds> read_connections(JsonFields& fields) {
  const std::string text = fields.text("connections", limits.connections_bytes_max);
  const auto bytes = parse_base64(text);
  auto connections = bytes ? tunnel::parse_connections(*bytes) : std::nullopt;
  if (connections) return std::move(*connections);
  fields.refuse("connections", "is no list of connections");
  return {};
}

tunnel::Timestamp read_timestamp(JsonFields& fields) {
  tunnel::Timestamp timestamp;
  const auto bytes = parse_base64(fields.text("last_timestamp", limits.name_bytes_max));
  if (bytes && bytes->size() == timestamp.bytes.size())
    std::ranges::copy(*bytes, timestamp.bytes.begin());
  else
    fields.refuse("last_timestamp", "is no timestamp");
  return timestamp;
}

}  // namespace

JsonLimits handover_json_limits() {
  JsonLimits json_limits;
  json_limits.bytes_max = limits.document_bytes_max;
  json_limits.values_max = limits.values_max;
  return json_limits;
}

std::string serialize(const HandoverHello& message) {
  return serialize_json(JsonObject{
      {"protocol", message.protocol}, {"program", message.program}, {"version", message.version}});
}

std::string serialize(const HandoverOffer& message) {
  JsonArray descriptors;
  for (const std::string& name : message.descriptors) descriptors.emplace_back(name);
  return serialize_json(JsonObject{{"version", message.version},
                                   {"descriptors", std::move(descriptors)},
                                   {"document", message.document}});
}

HandoverParsed<HandoverHello> parse_handover_hello(std::string_view text) {
  return read_json<HandoverHello>(text, {}, read_hello);
}

HandoverParsed<HandoverOffer> parse_handover_offer(std::string_view text) {
  return read_json<HandoverOffer>(text, handover_json_limits(), read_offer);
}

Json to_json(const TunnelHandover& tunnel) {
  JsonArray predecessors;
  for (const TunnelHandover::Predecessor& one : tunnel.predecessors)
    predecessors.emplace_back(JsonObject{{"process", one.facts.process},
                                         {"version", one.facts.version},
                                         {"connections", to_json(one.connections)}});
  return JsonObject{{"last_timestamp", serialize_base64(tunnel.last_timestamp.bytes)},
                    {"connections", to_json(tunnel.connections)},
                    {"predecessors", std::move(predecessors)}};
}

TunnelHandover read_tunnel_handover(JsonFields fields) {
  TunnelHandover tunnel;
  tunnel.last_timestamp = read_timestamp(fields);
  tunnel.connections = read_connections(fields);
  const JsonArray& predecessors = fields.array("predecessors", limits.predecessors_max);
  for (std::size_t i = 0; i < predecessors.size(); ++i) {
    JsonFields one = fields.element("predecessors", predecessors, i);
    TunnelHandover::Predecessor predecessor;
    predecessor.facts.process = one.number("process", 0, std::numeric_limits<std::uint32_t>::max());
    predecessor.facts.version = one.text("version", limits.name_bytes_max);
    predecessor.connections = read_connections(one);
    tunnel.predecessors.push_back(std::move(predecessor));
  }
  return tunnel;
}

}  // namespace sidestream::control
