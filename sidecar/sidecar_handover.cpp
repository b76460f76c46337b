#include "sidecar/sidecar_handover.h"

#include <algorithm>
#include <utility>

#include "control/json_fields.h"

namespace sidestream::sidecar {
namespace {

using control::Json;
using control::JsonArray;
using control::JsonFields;
using control::JsonObject;

constexpr std::size_t links_max = 1000;
constexpr std::size_t services_max = 100'000;
constexpr std::size_t text_bytes_max = 1024;
constexpr std::size_t backends_bytes_max = 1UL << 20U;

SocketAddress read_address(JsonFields& fields, std::string_view name) {
  const auto address = SocketAddress::parse(fields.text(name, text_bytes_max));
  if (address) return *address;
  fields.refuse(name, "is no address");
  return {};
}

template <typename Element>
std::vector<Element> read_list(JsonFields& fields, std::string_view name, std::size_t max,
                               Element (*read)(JsonFields)) {
  std::vector<Element> elements;
  const JsonArray& array = fields.array(name, max);
  for (std::size_t i = 0; i < array.size(); ++i)
    elements.push_back(read(fields.element(name, array, i)));
  return elements;
}

SidecarOffer::Link read_offered_link(JsonFields fields) {
  SidecarOffer::Link link;
  link.id = fields.text("id", text_bytes_max);
  link.edge = fields.text("edge", text_bytes_max);
  link.outer = read_address(fields, "outer");
  link.run = fields.text("run", text_bytes_max);
  return link;
}

SidecarOffer::ServicePort read_service_port(JsonFields fields) {
  SidecarOffer::ServicePort service;
  service.service = fields.text("service", text_bytes_max);
  service.port = static_cast<std::uint16_t>(fields.number("port", 1, 65'535));
  return service;
}

SidecarOffer read_offer(JsonFields& fields) {
  SidecarOffer offer;
  offer.links = read_list(fields, "links", links_max, read_offered_link);
  offer.services = read_list(fields, "services", services_max, read_service_port);
  return offer;
}

SidecarHandover::Link read_link(JsonFields fields) {
  SidecarHandover::Link link;
  link.id = fields.text("id", text_bytes_max);
  if (fields.optional_text("endpoint", text_bytes_max))
    link.endpoint = read_address(fields, "endpoint");
  link.edge_run = fields.text("edge_run", text_bytes_max);
  link.tunnel = control::read_tunnel_handover(fields.object("tunnel"));
  return link;
}

SidecarHandover::Healthy read_healthy(JsonFields fields) {
  SidecarHandover::Healthy healthy;
  healthy.service = fields.text("service", text_bytes_max);
  healthy.backends = fields.text("backends", backends_bytes_max);
  return healthy;
}

SidecarHandover read_handover(JsonFields& fields) {
  SidecarHandover handover;
  handover.links = read_list(fields, "links", links_max, read_link);
  handover.healthy = read_list(fields, "healthy", services_max, read_healthy);
  return handover;
}

}  // namespace

std::string link_id(const EdgeEntry& entry) {
  return entry.own_public_key.text() + ' ' + entry.public_key.text();
}

const SidecarOffer::Link* SidecarOffer::find(std::string_view id) const {
  const auto found = std::ranges::find(links, id, &Link::id);
  return found == links.end() ? nullptr : &*found;
}

std::string missing_edge(const SidecarOffer& offer, const std::vector<EdgeEntry>& entries) {
  for (const SidecarOffer::Link& link : offer.links)
    if (std::ranges::find(entries, link.id, link_id) == entries.end()) return link.edge;
  return {};
}

std::string serialize(const SidecarOffer& offer) {
  JsonArray links;
  for (const SidecarOffer::Link& link : offer.links)
    links.emplace_back(JsonObject{
        {"id", link.id}, {"edge", link.edge}, {"outer", link.outer.text()}, {"run", link.run}});
  JsonArray services;
  for (const SidecarOffer::ServicePort& one : offer.services)
    services.emplace_back(JsonObject{{"service", one.service}, {"port", std::uint64_t{one.port}}});
  return serialize_json(JsonObject{{"links", std::move(links)}, {"services", std::move(services)}});
}

std::string serialize(const SidecarHandover& handover) {
  JsonArray links;
  for (const SidecarHandover::Link& link : handover.links) {
    JsonObject object{
        {"id", link.id}, {"edge_run", link.edge_run}, {"tunnel", to_json(link.tunnel)}};
    if (link.endpoint) object.add("endpoint", link.endpoint->text());
    links.emplace_back(std::move(object));
  }
  JsonArray healthy;
  for (const SidecarHandover::Healthy& one : handover.healthy)
    healthy.emplace_back(JsonObject{{"service", one.service}, {"backends", one.backends}});
  return serialize_json(JsonObject{{"links", std::move(links)}, {"healthy", std::move(healthy)}});
}

std::expected<SidecarOffer, std::string> parse_sidecar_offer(std::string_view text) {
  return control::read_json<SidecarOffer>(text, control::handover_json_limits(), read_offer);
}

std::expected<SidecarHandover, std::string> parse_sidecar_handover(std::string_view text) {
  return control::read_json<SidecarHandover>(text, control::handover_json_limits(), read_handover);
}

}  // namespace sidestream::sidecar
