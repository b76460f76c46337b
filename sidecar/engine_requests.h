// What a container engine is asked, by GET and nothing else, so that a proxy in front of its socket
// need not allow more.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "control/http_message.h"
#include "sidecar/backend_address.h"

namespace sidestream::sidecar {

// The newest version of the API (1.x) that we speak. Docker 29 refuses those before 1.44.
inline constexpr unsigned api_minor_version = 44;

// `unix:PATH` or `HOST:PORT`, and as DOCKER_HOST has them: `unix:///PATH`, `tcp://HOST:PORT`. The
// error is one line for a person and begins with its input in quotes.
struct EngineAddress : BackendAddress {
  static std::expected<EngineAddress, std::string> parse(std::string_view text);
};

// `/v1.41`: the newest version that both sides speak, by the field Api-Version of the answer to
// /_ping; empty, which is the engine's own choice, when that says nothing.
[[nodiscard]] std::string api_prefix(const control::HttpFields& ping);

[[nodiscard]] control::HttpRequest ping_request();
[[nodiscard]] control::HttpRequest list_request(const std::string& prefix);
// `id` is an engine's name.
[[nodiscard]] control::HttpRequest container_request(const std::string& prefix,
                                                     const std::string& id);
// Of containers and networks, from now on and without end.
[[nodiscard]] control::HttpRequest events_request(const std::string& prefix);

// Why an answer is none: `it answers 403 to GET /containers/json: …`.
[[nodiscard]] std::string refusal(std::string_view what, unsigned status, std::string_view body);

// The ID of the container that a process is in, by the files that its engine mounts there
// (/proc/self/mountinfo); none when that does not tell.
[[nodiscard]] std::optional<std::string> container_in_mounts(std::string_view mountinfo);

}  // namespace sidestream::sidecar
