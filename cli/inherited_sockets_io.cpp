#include "cli/inherited_sockets_io.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <optional>
#include <utility>

#include "streams/quantity.h"

namespace sidestream::cli {
namespace {

constexpr int first_descriptor = 3;  // SD_LISTEN_FDS_START
constexpr std::int64_t sockets_max = 1024;

std::optional<std::int64_t> number_of(const char* variable) {
  const char* text = std::getenv(variable);
  return text == nullptr ? std::nullopt : parse_whole_number(text);
}

int option_of(int fd, int option) {
  int value = 0;
  socklen_t length = sizeof value;
  return ::getsockopt(fd, SOL_SOCKET, option, &value, &length) == 0 ? value : -1;
}

bool is_tcp_listener(int fd) {
  const int family = option_of(fd, SO_DOMAIN);
  return (family == AF_INET || family == AF_INET6) && option_of(fd, SO_TYPE) == SOCK_STREAM &&
         option_of(fd, SO_ACCEPTCONN) == 1;
}

}  // namespace

std::expected<void, std::string> inherit_sockets(KernelNetwork& network) {
  const auto process = number_of("LISTEN_PID");
  const auto count = number_of("LISTEN_FDS");
  for (const char* variable : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"}) ::unsetenv(variable);
  if (!process || !count || *process != ::getpid()) return {};
  if (*count > sockets_max)
    return std::unexpected("LISTEN_FDS hands over more than " + std::to_string(sockets_max) +
                           " sockets");
  for (int fd = first_descriptor; fd < first_descriptor + static_cast<int>(*count); ++fd) {
    ::fcntl(fd, F_SETFD, FD_CLOEXEC);
    if (!is_tcp_listener(fd))
      return std::unexpected("LISTEN_FDS hands over descriptor " + std::to_string(fd) +
                             ", which is no TCP socket that listens; only public ports can be "
                             "handed over (ListenStream= in the socket unit)");
    network.inherit_listener(UniqueFd(fd));
  }
  return {};
}

}  // namespace sidestream::cli
