#include "streams/readdressed_stream_io.h"

#include <utility>

namespace sidestream {

ReaddressedStream::ReaddressedStream(std::unique_ptr<Stream> inner, const SocketAddress& local,
                                     const SocketAddress& remote)
    : inner_(std::move(inner)), local_(local), remote_(remote) {}

}  // namespace sidestream
