// What comes before the client's bytes on a stream from somebody who is trusted to say who the
// client is (the edge at a sidecar, a router at the edge): the PROXY header, and where one port is
// for all names a ClientHello that tells which of them is meant.
#pragma once

#include <expected>
#include <memory>
#include <optional>
#include <string>

#include "streams/client_hello.h"
#include "streams/network_io.h"
#include "streams/proxy_header.h"

namespace sidestream {

struct IntroductionLimits {
  Duration timeout = 5s;  // for the header, and for the hello again
};

struct Introduction {
  ProxyHeader header;
  std::unique_ptr<Stream> stream;  // gives everything that came after the header
};

// Reads the PROXY header that has to be there. The error says why there is none, and the stream was
// ended then; it is empty for a router's health check, which says LOCAL or nothing at all and for
// which no backend is opened. Throws only when it is cancelled. Trusting the header is the caller's
// decision, by where the stream comes from.
Task<std::expected<Introduction, std::string>> read_introduction(Network& network,
                                                                 std::unique_ptr<Stream> stream,
                                                                 IntroductionLimits limits);

// The ClientHello that follows, without taking it from the stream. nullopt when there is no
// complete one in time.
Task<std::optional<ClientHello>> peek_client_hello(Network& network, Introduction& introduction,
                                                   IntroductionLimits limits);

}  // namespace sidestream
