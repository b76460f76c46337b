#include "streams/network_io.h"

#include "streams/asio_io.h"

namespace sidestream {

Task<std::unique_ptr<Stream>> Network::connect_from(SocketPlace /*place*/, SocketAddress /*remote*/,
                                                    Duration /*timeout*/) {
  throw_error(asio::error::operation_not_supported, "connect_from");
  co_return nullptr;
}

std::unique_ptr<Listener> Network::listen_at(const SocketPlace& /*place*/, std::uint16_t /*port*/) {
  throw_error(asio::error::operation_not_supported, "listen_at");
}

}  // namespace sidestream
