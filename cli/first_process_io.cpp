#include "cli/first_process_io.h"

#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <ctime>

#include "streams/descriptor_passing_io.h"

namespace sidestream::cli {
namespace {

// Between two processes nobody listens for a moment.
constexpr int misses_max = 3;

}  // namespace

bool is_first_process() {
  return ::getpid() == 1;
}

bool pass_signal_on(const std::string& path, int signal) {
  try {
    const UniqueFd fd = connect_to_unix_path(path);
    ucred who{};
    socklen_t length = sizeof who;
    if (::getsockopt(fd.get(), SOL_SOCKET, SO_PEERCRED, &who, &length) != 0) return false;
    if (who.pid <= 1) return true;  // it is on its way to the next one
    return ::kill(who.pid, signal) == 0;
  } catch (const system_error&) {
    return false;
  }
}

void stay_for_successors(const std::string& path) {
  sigset_t signals;
  ::sigemptyset(&signals);
  for (const int one : {SIGTERM, SIGINT, SIGHUP, SIGCHLD}) ::sigaddset(&signals, one);
  ::sigprocmask(SIG_BLOCK, &signals, nullptr);
  for (int misses = 0; misses < misses_max;) {
    const timespec second{.tv_sec = 1, .tv_nsec = 0};
    const int signal = ::sigtimedwait(&signals, nullptr, &second);
    while (::waitpid(-1, nullptr, WNOHANG) > 0) {
    }
    const bool passed = pass_signal_on(path, signal > 0 && signal != SIGCHLD ? signal : 0);
    misses = passed ? 0 : misses + 1;
  }
}

}  // namespace sidestream::cli
