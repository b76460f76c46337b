#include "streams/unix_socket_io.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace sidestream {
namespace {

UniqueFd open_unix_socket() {
  UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) throw_error(last_system_error(), "socket");
  return fd;
}

// Whether the path is a socket that nobody listens on any more.
bool is_stale(const std::string& path, const KernelAddress& address) {
  struct stat status{};
  if (::lstat(path.c_str(), &status) != 0 || !S_ISSOCK(status.st_mode)) return false;
  const UniqueFd probe = open_unix_socket();
  return ::connect(probe.get(), address.get(), address.length) != 0 && errno == ECONNREFUSED;
}

}  // namespace

KernelAddress unix_address(const std::string& path) {
  sockaddr_un name{};
  if (path.empty()) throw_error(make_error_code(boost::system::errc::invalid_argument), "path");
  if (path.size() >= sizeof name.sun_path)
    throw_error(make_error_code(boost::system::errc::filename_too_long), "socket path");
  name.sun_family = AF_UNIX;
  path.copy(name.sun_path, path.size());
  KernelAddress address;
  std::memcpy(&address.storage, &name, sizeof name);
  address.length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + 1);
  return address;
}

UnixListener::UnixListener(const asio::any_io_executor& executor, UniqueFd fd, std::string path)
    : SocketListener(executor, std::move(fd)), path_(std::move(path)) {
  struct stat status{};
  if (::lstat(path_.c_str(), &status) != 0) return;
  device_ = status.st_dev;
  inode_ = status.st_ino;
}

UnixListener::~UnixListener() {
  close();
}

void UnixListener::close() noexcept {
  SocketListener::close();
  struct stat status{};
  if (inode_ != 0 && ::lstat(path_.c_str(), &status) == 0 && status.st_dev == device_ &&
      status.st_ino == inode_)
    ::unlink(path_.c_str());
  inode_ = 0;
}

std::unique_ptr<Listener> listen_on_unix_path(const asio::any_io_executor& executor,
                                              const std::string& path, unsigned mode) {
  const KernelAddress address = unix_address(path);
  UniqueFd fd = open_unix_socket();
  // Before bind this bounds the mode of the new file, so that it is never wider than asked for;
  // after bind chmod gives back what the umask took away.
  if (::fchmod(fd.get(), mode) != 0) throw_error(last_system_error(), "fchmod");
  int bound = ::bind(fd.get(), address.get(), address.length);
  if (bound != 0 && errno == EADDRINUSE && is_stale(path, address)) {
    ::unlink(path.c_str());
    bound = ::bind(fd.get(), address.get(), address.length);
  }
  if (bound != 0) throw_error(last_system_error(), "bind");
  if (::chmod(path.c_str(), mode) != 0) throw_error(last_system_error(), "chmod");
  if (::listen(fd.get(), SOMAXCONN) != 0) throw_error(last_system_error(), "listen");
  return std::make_unique<UnixListener>(executor, std::move(fd), path);
}

}  // namespace sidestream
