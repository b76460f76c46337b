#include "sidecar/backend_address.h"

#include "streams/message_text.h"
#include "streams/unix_path.h"

namespace sidestream::sidecar {
namespace {

constexpr std::string_view unix_scheme = "unix:";
constexpr std::string_view tls_scheme = "tls://";

std::unexpected<std::string> error(std::string_view text, std::string_view what) {
  return std::unexpected(in_quotes(text) + ": " + std::string(what));
}

}  // namespace

std::expected<BackendAddress, std::string> BackendAddress::parse(std::string_view text) {
  if (text.starts_with(unix_scheme)) {
    const std::string_view path = text.substr(unix_scheme.size());
    if (const auto fine = check_unix_path(path); !fine) return error(text, fine.error());
    return BackendAddress{.unix_path = std::string(path)};
  }
  if (text.starts_with('/')) return error(text, "write unix: before the path of a Unix socket");
  const bool tls = text.starts_with(tls_scheme);
  const std::string_view rest = tls ? text.substr(tls_scheme.size()) : text;
  if (rest.contains("://"))
    return error(text, "write HOST:PORT without a scheme, or tls://HOST:PORT");
  auto host_port = HostPort::parse(rest);
  if (!host_port) return error(text, text_of(host_port.error()));
  return BackendAddress{.host_port = std::move(*host_port), .unix_path = "", .tls = tls};
}

std::string BackendAddress::text() const {
  if (!unix_path.empty()) return std::string(unix_scheme) + unix_path;
  return std::string(tls ? tls_scheme : "") + host_port.text();
}

}  // namespace sidestream::sidecar
