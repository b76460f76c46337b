#include "streams/socket_place_io.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>

#include "streams/asio_io.h"
#include "streams/socket_address_io.h"
#include "streams/socket_stream_io.h"

namespace sidestream {
namespace {

// Of a stream with patience: it is asked early whether it still lives, and no later than that.
constexpr std::chrono::seconds keepalive_idle = 15s;
constexpr std::chrono::seconds keepalive_interval = 10s;
// TCP_KEEPCNT (tcp(7)).
constexpr int keepalive_probes_max = 127;

void set_patience(int fd, Duration patience) {
  const auto probes = (patience - keepalive_idle) / keepalive_interval;
  set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, static_cast<int>(keepalive_idle.count()));
  set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, static_cast<int>(keepalive_interval.count()));
  set_option(
      fd, IPPROTO_TCP, TCP_KEEPCNT,
      static_cast<int>(std::clamp<long>(static_cast<long>(probes), 1, keepalive_probes_max)));
  const auto milliseconds = std::chrono::floor<std::chrono::milliseconds>(patience).count();
  set_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, static_cast<int>(milliseconds));
}

}  // namespace

void place_socket(int fd, const SocketPlace& place) {
  if (!place.device.empty() && ::setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, place.device.data(),
                                            static_cast<socklen_t>(place.device.size())) != 0)
    throw_error(last_system_error(), "SO_BINDTODEVICE");
  if (!place.congestion_control.empty())
    ::setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, place.congestion_control.data(),
                 static_cast<socklen_t>(place.congestion_control.size()));
  if (place.patience > Duration::zero()) set_patience(fd, place.patience);
}

}  // namespace sidestream
