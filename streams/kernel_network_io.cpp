#include "streams/kernel_network_io.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>

#include "streams/address_watch_io.h"
#include "streams/datagram_socket_io.h"
#include "streams/deadline_io.h"
#include "streams/socket_address_io.h"
#include "streams/socket_listener_io.h"
#include "streams/socket_place_io.h"
#include "streams/socket_stream_io.h"
#include "streams/unix_socket_io.h"

namespace sidestream {
namespace {

UniqueFd open_stream_socket(int family) {
  UniqueFd fd(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) throw_error(last_system_error(), "socket");
  return fd;
}

// Connects `fd` and makes it a stream. A Unix socket whose listener is full says EAGAIN and tells
// nobody when there is room again; its caller may try later.
Task<std::unique_ptr<Stream>> connect_socket(UniqueFd fd, KernelAddress address,
                                             SocketAddress remote) {
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  const int raw = fd.get();
  const bool connected = ::connect(raw, address.get(), address.length) == 0;
  if (!connected && errno != EINPROGRESS) throw_error(last_system_error(), "connect");
  if (!connected) {
    Descriptor descriptor(executor, std::move(fd));
    co_await descriptor.wait_writable();
    int code = 0;
    socklen_t length = sizeof code;
    if (::getsockopt(raw, SOL_SOCKET, SO_ERROR, &code, &length) != 0) code = errno;
    if (code != 0) throw_error({code, boost::system::system_category()}, "connect");
    fd = descriptor.release();
  }
  co_return std::make_unique<SocketStream>(executor, std::move(fd), remote);
}

}  // namespace

KernelNetwork::KernelNetwork(asio::io_context& io)
    : executor_(io.get_executor()), timers_(executor_) {}

Task<std::unique_ptr<Stream>> KernelNetwork::connect(SocketAddress remote, Duration timeout) {
  const int family = family_of(remote);
  UniqueFd fd = open_stream_socket(family);
  set_tcp_options(fd.get());
  const KernelAddress address = to_kernel(remote, family);
  Task<std::unique_ptr<Stream>> connecting = connect_socket(std::move(fd), address, remote);
  co_return co_await with_timeout(timers_, timeout, std::move(connecting));
}

Task<std::unique_ptr<Stream>> KernelNetwork::connect_from(SocketPlace place, SocketAddress remote,
                                                          Duration timeout) {
  const int family = family_of(remote);
  UniqueFd fd = open_stream_socket(family);
  set_tcp_options(fd.get());
  place_socket(fd.get(), place);
  // The port is chosen when it connects, so that one port serves for many peers.
  set_option(fd.get(), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
  const KernelAddress local = to_kernel({place.address, 0}, family);
  if (::bind(fd.get(), local.get(), local.length) != 0) throw_error(last_system_error(), "bind");
  const KernelAddress address = to_kernel(remote, family);
  Task<std::unique_ptr<Stream>> connecting = connect_socket(std::move(fd), address, remote);
  co_return co_await with_timeout(timers_, timeout, std::move(connecting));
}

std::unique_ptr<Listener> KernelNetwork::listen_at(const SocketPlace& place, std::uint16_t port) {
  return listen_at_place(executor_, place, port);
}

Task<std::unique_ptr<Stream>> KernelNetwork::connect_unix(std::string path, Duration timeout) {
  const KernelAddress address = unix_address(path);
  UniqueFd fd = open_stream_socket(AF_UNIX);
  Task<std::unique_ptr<Stream>> connecting =
      connect_socket(std::move(fd), address, SocketAddress());
  co_return co_await with_timeout(timers_, timeout, std::move(connecting));
}

std::unique_ptr<Listener> KernelNetwork::listen(const SocketAddress& local,
                                                const ListenOptions& options) {
  const auto inherited = inherited_.find(local.port);
  if (inherited == inherited_.end()) return listen_tcp(executor_, local, options);
  UniqueFd fd;
  if (inherited->second.held) {
    fd = UniqueFd(::fcntl(inherited->second.fd.get(), F_DUPFD_CLOEXEC, 0));
    if (!fd) throw_error(last_system_error(), "dup");
  } else {
    fd = std::move(inherited->second.fd);
    inherited_.erase(inherited);
  }
  return std::make_unique<SocketListener>(executor_, std::move(fd));
}

void KernelNetwork::inherit_listener(UniqueFd fd, bool held) {
  const int flags = ::fcntl(fd.get(), F_GETFL);
  if (flags < 0 || ::fcntl(fd.get(), F_SETFL, flags | O_NONBLOCK) != 0)
    throw_error(last_system_error(), "fcntl");
  const std::uint16_t port = bound_address(fd.get()).port;
  inherited_[port] = {std::move(fd), held};
}

std::vector<std::uint16_t> KernelNetwork::inherited_ports() const {
  std::vector<std::uint16_t> ports;
  for (const auto& [port, listener] : inherited_)
    if (listener.held) ports.push_back(port);
  return ports;
}

std::vector<int> KernelNetwork::held_listeners() const {
  std::vector<int> descriptors;
  for (const auto& [port, listener] : inherited_)
    if (listener.held) descriptors.push_back(listener.fd.get());
  return descriptors;
}

void KernelNetwork::inherit_datagram_socket(UniqueFd fd) {
  const std::uint16_t port = bound_address(fd.get()).port;
  inherited_datagram_sockets_[port] = std::move(fd);
}

void KernelNetwork::close_unclaimed() {
  inherited_datagram_sockets_.clear();
  std::erase_if(inherited_, [](const auto& one) { return !one.second.held; });
}

std::unique_ptr<Listener> KernelNetwork::listen_unix(const std::string& path, unsigned mode) {
  return listen_on_unix_path(executor_, path, mode);
}

std::unique_ptr<DatagramSocket> KernelNetwork::open_udp(const SocketAddress& local) {
  const auto inherited = inherited_datagram_sockets_.find(local.port);
  if (inherited == inherited_datagram_sockets_.end()) return open_datagram_socket(executor_, local);
  UniqueFd fd = std::move(inherited->second);
  inherited_datagram_sockets_.erase(inherited);
  return adopt_datagram_socket(executor_, std::move(fd));
}

std::unique_ptr<AddressWatch> KernelNetwork::watch_addresses() {
  return open_address_watch(executor_);
}

Task<std::vector<SocketAddress>> KernelNetwork::resolve(std::string host, std::uint16_t port,
                                                        Duration timeout) {
  Task<std::vector<SocketAddress>> lookup = names_.lookup(std::move(host), port);
  co_return co_await with_timeout(timers_, timeout, std::move(lookup));
}

}  // namespace sidestream
