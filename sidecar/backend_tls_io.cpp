#include "sidecar/backend_tls_io.h"

#include <utility>

#include "streams/message_text.h"

namespace sidestream::sidecar {

BackendTls::BackendTls(const BackendTlsSettings& settings, ReadFile read_file)
    : settings_(settings), read_file_(std::move(read_file)) {
  look();
}

void BackendTls::look() {
  const auto done = read();
  problem_ = done ? "" : done.error();
}

std::expected<void, std::string> BackendTls::read() {
  std::optional<std::string> authorities;
  if (!settings_.ca.empty()) {
    auto content = read_file_(settings_.ca);
    if (!content) return std::unexpected(content.error());
    authorities = std::move(*content);
  }
  if (client_ && authorities.value_or("") == authorities_) return {};
  auto client = TlsClient::make({.authorities = authorities});
  if (!client)
    return std::unexpected((settings_.ca.empty() ? "" : printable(settings_.ca, 500) + ": ") +
                           client.error());
  client_ = std::move(*client);
  authorities_ = authorities.value_or("");
  return {};
}

BackendOpening BackendTls::opening() const {
  return {.tls = client_ ? &*client_ : nullptr,
          .server_name = settings_.server_name,
          .problem = problem_};
}

}  // namespace sidestream::sidecar
