#include "sidecar/backend_address.h"

#include "streams/message_text.h"
#include "streams/unix_path.h"

namespace sidestream::sidecar {
namespace {

constexpr std::string_view unix_scheme = "unix:";

std::unexpected<std::string> error(std::string_view text, std::string_view what) {
  return std::unexpected(in_quotes(text) + ": " + std::string(what));
}

}  // namespace

std::expected<BackendAddress, std::string> BackendAddress::parse(std::string_view text) {
  if (text.starts_with(unix_scheme)) {
    const std::string_view path = text.substr(unix_scheme.size());
    if (const auto fine = check_unix_path(path); !fine) return error(text, fine.error());
    return BackendAddress{{}, std::string(path)};
  }
  if (text.starts_with('/')) return error(text, "write unix: before the path of a Unix socket");
  if (text.starts_with("tls://"))
    return error(text,
                 "TLS towards a backend is not in this version; write HOST:PORT and let clients "
                 "speak TLS with the backend (tls: passthrough)");
  if (text.contains("://")) return error(text, "write HOST:PORT, without a scheme");
  auto host_port = HostPort::parse(text);
  if (!host_port) return error(text, text_of(host_port.error()));
  return BackendAddress{std::move(*host_port), ""};
}

std::string BackendAddress::text() const {
  return unix_path.empty() ? host_port.text() : std::string(unix_scheme) + unix_path;
}

}  // namespace sidestream::sidecar
