#include "edge/routers/caddy_document.h"

#include <algorithm>
#include <utility>

#include "streams/host_port.h"

namespace sidestream::edge {
namespace {

using control::Json;
using control::JsonArray;
using control::JsonObject;

constexpr std::string_view id_key = "@id";
constexpr std::string_view prefix = "sidestream-";
constexpr std::string_view servers_path = "/config/apps/layer4/servers/";
// As long as the edge itself waits for a ClientHello.
constexpr std::string_view matching_timeout = "5s";
constexpr control::JsonLimits answer_limits{
    .bytes_max = 64UL << 20U, .depth_max = 64, .values_max = 2'000'000, .members_max = 200'000};

const Json* member(const Json* value, std::string_view name) {
  const JsonObject* const object = value == nullptr ? nullptr : value->object();
  return object == nullptr ? nullptr : object->find(name);
}

std::string_view text_in(const Json* value) {
  const std::string* const text = value == nullptr ? nullptr : value->text();
  return text == nullptr ? std::string_view() : std::string_view(*text);
}

const JsonArray& list_in(const Json* value) {
  static const JsonArray none;
  const JsonArray* const list = value == nullptr ? nullptr : value->array();
  return list == nullptr ? none : *list;
}

const std::vector<std::pair<std::string, Json>>& members_of(const Json* value) {
  static const JsonObject none;
  const JsonObject* const object = value == nullptr ? nullptr : value->object();
  return (object == nullptr ? none : *object).members();
}

// The ports of `:443`, `0.0.0.0:443`, `tcp/[::1]:8000-8010`; those of UDP and Unix sockets have
// none.
std::set<std::uint16_t> tcp_ports(const Json* listen) {
  std::set<std::uint16_t> ports;
  for (const Json& one : list_in(listen)) {
    std::string_view address = text_in(&one);
    const std::size_t slash = address.find('/');
    const std::string_view network =
        slash == std::string_view::npos ? "tcp" : address.substr(0, slash);
    if (!network.starts_with("tcp")) continue;
    address = address.substr(address.rfind(':') + 1);
    const std::size_t dash = address.find('-');
    const auto first = parse_port_number(address.substr(0, dash));
    const auto last =
        dash == std::string_view::npos ? first : parse_port_number(address.substr(dash + 1));
    if (!first || !last) continue;
    for (std::uint32_t port = *first; port <= *last; ++port)
      ports.insert(static_cast<std::uint16_t>(port));
  }
  return ports;
}

std::string id_of(std::uint16_t port) {
  return std::string(prefix) + std::to_string(port);
}

std::optional<std::uint16_t> port_of_id(const Json* object) {
  const std::string_view id = text_in(member(object, id_key));
  if (!id.starts_with(prefix)) return std::nullopt;
  const auto port = parse_port_number(id.substr(prefix.size()));
  return port ? std::optional(*port) : std::nullopt;
}

void look_at_server(const std::string& name, const Json& server, CaddyView& view) {
  if (const auto port = port_of_id(&server)) {
    view.ours[*port] = {.id = id_of(*port), .object = server};
    return;
  }
  const Json* const routes = member(&server, "routes");
  const JsonArray& list = list_in(routes);
  for (const std::uint16_t port : tcp_ports(member(&server, "listen")))
    view.layer4[port] = {.name = name,
                         .has_routes = routes != nullptr && routes->array() != nullptr,
                         .is_empty = list.empty()};
  for (std::size_t i = 0; i < list.size(); ++i)
    if (const auto port = port_of_id(&list[i]))
      view.ours[*port] = {.id = id_of(*port), .object = list[i], .is_route = true, .position = i};
}

// What leads to the inlet on one port: all names, or everything. Members are in the order of their
// names, which is how Caddy writes them.
struct PortWish {
  std::set<std::string> names;
  bool everything = false;
};

std::map<std::uint16_t, PortWish> by_port(const std::set<control::Endpoint>& endpoints) {
  std::map<std::uint16_t, PortWish> wishes;
  for (const control::Endpoint& endpoint : endpoints) {
    PortWish& wish = wishes[endpoint.port];
    if (endpoint.name)
      wish.names.insert(endpoint.name->text());
    else
      wish.everything = true;
  }
  return wishes;
}

JsonObject route_of(const PortWish& wish, std::string_view inlet) {
  const JsonObject upstream{{"dial", JsonArray{Json(inlet)}}};
  const JsonObject proxy{
      {"handler", "proxy"}, {"proxy_protocol", "v2"}, {"upstreams", JsonArray{Json(upstream)}}};
  JsonObject route{{"handle", JsonArray{Json(proxy)}}};
  if (wish.everything) return route;
  JsonArray names;
  for (const std::string& name : wish.names) names.emplace_back(name);
  const JsonObject tls{{"tls", JsonObject{{"sni", Json(std::move(names))}}}};
  route.add("match", JsonArray{Json(tls)});
  return route;
}

JsonObject with_id(std::uint16_t port, const JsonObject& object) {
  JsonObject all{{std::string(id_key), id_of(port)}};
  for (const auto& [name, value] : object.members()) all.add(name, value);
  return all;
}

Json object_of(std::uint16_t port, const PortWish& wish, bool as_route, std::string_view inlet) {
  const JsonObject route = route_of(wish, inlet);
  if (as_route) return Json(with_id(port, route));
  return Json(with_id(port, {{"listen", JsonArray{Json(":" + std::to_string(port))}},
                             {"matching_timeout", std::string(matching_timeout)},
                             {"routes", JsonArray{Json(route)}}}));
}

// What an object of ours lets through, whoever wrote it; nothing when it leads elsewhere.
PortWish wish_of(const CaddyView::Ours& ours, std::string_view inlet) {
  const Json* route = &ours.object;
  if (!ours.is_route) {
    const JsonArray& routes = list_in(member(route, "routes"));
    if (routes.empty()) return {};
    route = &routes.front();
  }
  PortWish wish;
  for (const Json& set : list_in(member(route, "match")))
    for (const Json& name : list_in(member(member(&set, "tls"), "sni")))
      wish.names.emplace(text_in(&name));
  wish.everything = member(route, "match") == nullptr;
  const std::uint16_t port = *port_of_id(&ours.object);
  return ours.object == object_of(port, wish, ours.is_route, inlet) ? wish : PortWish();
}

void add_object(const CaddyView& view, std::uint16_t port, const std::string& body, bool as_route,
                std::vector<CaddyRequest>& requests) {
  if (!as_route) {
    requests.push_back({"PUT", std::string(servers_path) + id_of(port), body});
    return;
  }
  const CaddyView::Theirs& server = view.layer4.at(port);
  const std::string routes = std::string(servers_path) + server.name + "/routes";
  if (!server.has_routes)
    requests.push_back({"PUT", routes, "[" + body + "]"});
  else if (server.is_empty)
    requests.push_back({"POST", routes, body});
  else
    requests.push_back({"PUT", routes + "/0", body});
}

}  // namespace

std::optional<CaddyView> parse_caddy_configuration(std::string_view answer) {
  const auto json = control::parse_json(answer, answer_limits);
  if (!json) return std::nullopt;
  CaddyView view;
  if (json->is_null()) return view;  // it was started without any
  if (json->object() == nullptr) return std::nullopt;
  const Json* const apps = member(&*json, "apps");
  for (const auto& [name, server] : members_of(member(member(apps, "layer4"), "servers")))
    look_at_server(name, server, view);
  for (const auto& [name, server] : members_of(member(member(apps, "http"), "servers")))
    view.http.merge(tcp_ports(member(&server, "listen")));
  return view;
}

std::vector<CaddyRequest> caddy_requests(const CaddyView& view,
                                         const std::set<control::Endpoint>& endpoints,
                                         bool keep_others, std::string_view inlet) {
  std::vector<CaddyRequest> requests;
  auto wishes = by_port(endpoints);
  for (const auto& [port, ours] : view.ours) {
    const bool wanted = wishes.contains(port);
    if (keep_others && wanted) {
      const PortWish there = wish_of(ours, inlet);
      wishes[port].names.insert(there.names.begin(), there.names.end());
      wishes[port].everything |= there.everything;
    }
    // A server of ours beside one that somebody has made meanwhile would share its port.
    const bool misplaced = !ours.is_route && view.layer4.contains(port);
    if ((!wanted && !keep_others) || (wanted && misplaced))
      requests.push_back({"DELETE", "/id/" + ours.id, ""});
  }
  for (const auto& [port, wish] : wishes) {
    if (view.http.contains(port)) continue;
    const bool as_route = view.layer4.contains(port);
    const Json object = object_of(port, wish, as_route, inlet);
    const auto there = view.ours.find(port);
    if (there == view.ours.end() || there->second.is_route != as_route)
      add_object(view, port, control::serialize_json(object), as_route, requests);
    else if (there->second.object != object)
      requests.push_back({"PATCH", "/id/" + id_of(port), control::serialize_json(object)});
  }
  return requests;
}

std::set<control::Endpoint> caddy_held(const CaddyView& view,
                                       const std::set<control::Endpoint>& endpoints,
                                       std::string_view inlet) {
  std::set<control::Endpoint> held;
  for (const control::Endpoint& endpoint : endpoints) {
    const auto ours = view.ours.find(endpoint.port);
    if (ours == view.ours.end()) continue;
    const PortWish wish = wish_of(ours->second, inlet);
    if (wish.everything || (endpoint.name && wish.names.contains(endpoint.name->text())))
      held.insert(endpoint);
  }
  return held;
}

}  // namespace sidestream::edge
