#include "cli/background_io.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "cli/exit_code.h"

namespace sidestream::cli {
namespace {

// Until the other process says a byte; false: it has ended without.
bool wait_until_serving(int fd) {
  char byte = 0;
  ssize_t got = 0;
  do {
    got = ::read(fd, &byte, 1);
  } while (got < 0 && errno == EINTR);
  return got == 1;
}

int exit_code_of(pid_t process) {
  int status = 0;
  while (::waitpid(process, &status, 0) < 0)
    if (errno != EINTR) return failed;
  return WIFEXITED(status) ? WEXITSTATUS(status) : failed;
}

}  // namespace

std::optional<int> Background::begin() {
  int ends[2] = {-1, -1};
  if (::pipe2(ends, O_CLOEXEC) != 0) return failed;
  const UniqueFd reading(ends[0]);
  UniqueFd writing(ends[1]);
  const pid_t process = ::fork();
  if (process < 0) return failed;
  if (process == 0) {
    ::setsid();
    serving_ = std::move(writing);
    return std::nullopt;
  }
  writing = UniqueFd();
  return wait_until_serving(reading.get()) ? static_cast<int>(good) : exit_code_of(process);
}

void Background::tell_serving() {
  if (!serving_) return;
  [[maybe_unused]] const ssize_t told = ::write(serving_.get(), "!", 1);
  serving_ = UniqueFd();
}

}  // namespace sidestream::cli
