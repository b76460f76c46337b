// What a client offers in the ClientHello that OpenSSL is working on, for the files named
// tls_*.cpp.
#pragma once

#include <optional>
#include <string_view>

#include "streams/server_name.h"

struct ssl_st;

namespace sidestream {

// The server name, as it will be compared; nullopt: none, or none that could be a name. Works both
// in the callback for the ClientHello and later in the handshake.
[[nodiscard]] std::optional<ServerName> offered_name(ssl_st* ssl);
// Whether ALPN has this protocol and no other. In the callback for the ClientHello only.
[[nodiscard]] bool offers_only(ssl_st* ssl, std::string_view protocol);

}  // namespace sidestream
