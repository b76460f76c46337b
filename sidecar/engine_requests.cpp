#include "sidecar/engine_requests.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "sidecar/container.h"
#include "streams/message_text.h"

namespace sidestream::sidecar {
namespace {

constexpr std::string_view version_field = "api-version";
constexpr std::size_t id_digits = 64;
// {"type":["container","network"]}
constexpr std::string_view event_filters =
    "%7B%22type%22%3A%5B%22container%22%2C%22network%22%5D%7D";

control::HttpRequest get(std::string target) {
  control::HttpRequest request;
  request.method = "GET";
  request.target = std::move(target);
  request.fields = {{"host", "localhost"}};
  request.keep_alive = false;
  return request;
}

bool is_id(std::string_view text) {
  return text.size() == id_digits && std::ranges::all_of(text, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

}  // namespace

std::expected<EngineAddress, std::string> EngineAddress::parse(std::string_view text) {
  std::string plain(text);
  if (plain.starts_with("unix:///")) plain.erase(5, 2);
  if (plain.starts_with("tcp://")) plain.erase(0, 6);
  auto address = BackendAddress::parse(plain);
  if (!address) return std::unexpected(address.error());
  if (address->tls)
    return std::unexpected(in_quotes(text) +
                           ": an engine is not spoken to in TLS; write unix:/PATH or HOST:PORT");
  return EngineAddress{std::move(*address)};
}

std::string api_prefix(const control::HttpFields& ping) {
  const std::string* field = control::find_field(ping, version_field);
  constexpr std::string_view major = "1.";
  if (field == nullptr || !field->starts_with(major)) return "";
  unsigned minor = 0;
  const char* const end = field->data() + field->size();
  const auto [stop, code] = std::from_chars(field->data() + major.size(), end, minor);
  if (code != std::errc{} || stop != end) return "";
  return "/v1." + std::to_string(std::min(minor, api_minor_version));
}

control::HttpRequest ping_request() {
  return get("/_ping");
}

control::HttpRequest list_request(const std::string& prefix) {
  return get(prefix + "/containers/json");
}

control::HttpRequest container_request(const std::string& prefix, const std::string& id) {
  return get(prefix + "/containers/" + id + "/json");
}

control::HttpRequest events_request(const std::string& prefix) {
  return get(prefix + "/events?filters=" + std::string(event_filters));
}

std::string refusal(std::string_view what, unsigned status, std::string_view body) {
  const std::string said = parse_engine_message(body);
  return "it answers " + std::to_string(status) + " to GET " + std::string(what) +
         (said.empty() ? "" : ": " + said);
}

// Docker: …/containers/ID/hostname; Podman: …/overlay-containers/ID/userdata/hostname.
std::optional<std::string> container_in_mounts(std::string_view mountinfo) {
  constexpr std::string_view before = "containers/";
  while (!mountinfo.empty()) {
    const std::size_t end = std::min(mountinfo.find('\n'), mountinfo.size());
    const std::string_view line = mountinfo.substr(0, end);
    mountinfo.remove_prefix(std::min(end + 1, mountinfo.size()));
    if (!line.contains(" /etc/hostname ") && !line.contains(" /etc/resolv.conf ")) continue;
    for (std::size_t at = line.find(before); at != std::string_view::npos;
         at = line.find(before, at + 1)) {
      const std::string_view id = line.substr(at + before.size(), id_digits);
      if (is_id(id)) return std::string(id);
    }
  }
  return std::nullopt;
}

}  // namespace sidestream::sidecar
