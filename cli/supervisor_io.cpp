#include "cli/supervisor_io.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdlib>

namespace sidestream::cli {
namespace {

constexpr Duration interval_max = 10s;
// For a process that took over: systemd does not tell those that it starts for a reload.
constexpr Duration interval_untold = 1s;
// Of what the watchdog waits for: half would do, and one may come late.
constexpr int parts = 3;

std::string environment(const char* name) {
  const char* const text = std::getenv(name);
  return text == nullptr ? "" : text;
}

Duration interval_between_signs() {
  const std::string text = environment("WATCHDOG_USEC");
  std::uint64_t microseconds = 0;
  std::from_chars(text.data(), text.data() + text.size(), microseconds);
  if (microseconds == 0) return interval_untold;
  constexpr auto most = std::chrono::duration_cast<std::chrono::microseconds>(interval_max);
  if (microseconds / parts >= std::uint64_t{most.count()}) return interval_max;
  return std::chrono::microseconds(microseconds / parts);
}

}  // namespace

Supervisor::Supervisor() : path_(environment("NOTIFY_SOCKET")) {
  if (path_.size() < 2 || path_.size() >= sizeof(sockaddr_un::sun_path)) return;
  fd_ = UniqueFd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
}

void Supervisor::tell(const std::string& message, int flags) const {
  if (!fd_) return;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path_.copy(address.sun_path, path_.size());
  if (path_[0] == '@') address.sun_path[0] = '\0';  // a name that is no file
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path_.size());
  ::sendto(fd_.get(), message.data(), message.size(), MSG_NOSIGNAL | flags,
           reinterpret_cast<const sockaddr*>(&address), length);
}

void Supervisor::tell_ready() const {
  tell("READY=1\nMAINPID=" + std::to_string(::getpid()), 0);
}

Task<> Supervisor::tell_alive(Timers& timers, const Handover& handover) const {
  const Duration interval = interval_between_signs();
  for (;;) {
    co_await timers.sleep_for(interval);
    if (!handover.done()) tell("WATCHDOG=1", MSG_DONTWAIT);
  }
}

}  // namespace sidestream::cli
