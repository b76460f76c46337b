// Loaded into edge or sidecar with LD_PRELOAD: its wall clock is somewhere else, and one call of
// the system or one allocation fails. What is asked for, and what happened, stands in a file that
// the test and the program have in memory at the same time (FAULTY_LIBC names it; faulty_libc.py).
//
// A place is a call with its callers, so that the same call from two of them is two places. Places
// are counted as the program first reaches them.
#include <dlfcn.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <unistd.h>
#include <unwind.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>

// The parameters of what stands in for a function of the system are that function's.
// NOLINTBEGIN

namespace {

struct Control {
  std::atomic<std::int64_t> wall_offset_seconds;
  std::atomic<std::int64_t> failing_place;  // from 1; 0: none
  std::atomic<std::int64_t> places;         // that were reached
  std::atomic<std::int64_t>
      failing_allocation;  // the same of those that allocate; < 0: not counted
  std::atomic<std::int64_t> allocations;
  std::atomic<std::int64_t> failed;  // how many calls did
  char name[64];                     // of the one that failed
};

Control* control = nullptr;

constexpr std::size_t places_max = 1UL << 16U;
std::array<std::atomic<std::uint64_t>, places_max> known{};

__attribute__((constructor)) void begin() {
  const char* const path = std::getenv("FAULTY_LIBC");
  if (path == nullptr) return;
  const int fd = ::open(path, O_RDWR | O_CLOEXEC);
  if (fd < 0) return;
  void* const memory = ::mmap(nullptr, sizeof(Control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  ::close(fd);
  if (memory != MAP_FAILED) control = static_cast<Control*>(memory);
}

template <typename Function>
Function next(Function, const char* name) {
  return reinterpret_cast<Function>(::dlsym(RTLD_NEXT, name));
}

struct Callers {
  int left;
  std::uint64_t hash = 14695981039346656037ULL;
};

_Unwind_Reason_Code add_caller(_Unwind_Context* context, void* into) {
  auto& callers = *static_cast<Callers*>(into);
  callers.hash = (callers.hash ^ _Unwind_GetIP(context)) * 1099511628211ULL;
  return --callers.left > 0 ? _URC_NO_REASON : _URC_END_OF_STACK;
}

// Whether this is the first call from its place.
bool is_new_place(int callers_wanted) {
  Callers callers{.left = callers_wanted};
  _Unwind_Backtrace(&add_caller, &callers);
  const std::uint64_t place = callers.hash | 1U;
  for (std::size_t i = 0; i < places_max; ++i) {
    std::atomic<std::uint64_t>& entry = known[(place + i) % places_max];
    std::uint64_t at = entry.load();
    if (at == place) return false;
    if (at == 0 && entry.compare_exchange_strong(at, place)) return true;
  }
  return false;
}

// Whether it is this call's turn to fail.
bool fails(const char* name, std::atomic<std::int64_t>& places,
           const std::atomic<std::int64_t>& failing, int callers_wanted) {
  if (!is_new_place(callers_wanted)) return false;
  if (places.fetch_add(1) + 1 != failing.load()) return false;
  std::snprintf(control->name, sizeof control->name, "%s", name);
  control->failed.fetch_add(1);
  return true;
}

bool fails(const char* name) {
  constexpr int callers_wanted = 5;
  return control != nullptr && fails(name, control->places, control->failing_place, callers_wanted);
}

bool is_a(mode_t kind, int fd) {
  struct stat facts{};
  return ::syscall(SYS_fstat, fd, &facts) == 0 && (facts.st_mode & S_IFMT) == kind;
}

bool allocation_fails() {
  constexpr int callers_wanted = 8;  // most are those of the standard library
  static thread_local bool inside = false;
  if (control == nullptr || control->failing_allocation.load() < 0 || inside) return false;
  inside = true;
  const bool failing =
      fails("malloc", control->allocations, control->failing_allocation, callers_wanted);
  inside = false;
  if (failing) errno = ENOMEM;
  return failing;
}

}  // namespace

extern "C" {

#define SIDESTREAM_MAY_FAIL(result, name, error, parameters, arguments) \
  result name parameters {                                              \
    static const auto real = next(&::name, #name);                      \
    if (fails(#name)) return errno = error, static_cast<result>(-1);    \
    return real arguments;                                              \
  }

SIDESTREAM_MAY_FAIL(int, socket, EMFILE, (int a, int b, int c) noexcept, (a, b, c))
SIDESTREAM_MAY_FAIL(int, socketpair, EMFILE, (int a, int b, int c, int d[2]) noexcept, (a, b, c, d))
SIDESTREAM_MAY_FAIL(int, bind, EADDRINUSE, (int a, const sockaddr* b, socklen_t c) noexcept,
                    (a, b, c))
SIDESTREAM_MAY_FAIL(int, listen, EADDRINUSE, (int a, int b) noexcept, (a, b))
SIDESTREAM_MAY_FAIL(int, connect, ENETUNREACH, (int a, const sockaddr* b, socklen_t c), (a, b, c))
SIDESTREAM_MAY_FAIL(int, accept, EMFILE, (int a, sockaddr* b, socklen_t* c), (a, b, c))
SIDESTREAM_MAY_FAIL(int, accept4, EMFILE, (int a, sockaddr* b, socklen_t* c, int d), (a, b, c, d))
SIDESTREAM_MAY_FAIL(int, getsockname, ENOBUFS, (int a, sockaddr* b, socklen_t* c) noexcept,
                    (a, b, c))
SIDESTREAM_MAY_FAIL(int, getpeername, ENOTCONN, (int a, sockaddr* b, socklen_t* c) noexcept,
                    (a, b, c))
SIDESTREAM_MAY_FAIL(int, setsockopt, ENOMEM,
                    (int a, int b, int c, const void* d, socklen_t e) noexcept, (a, b, c, d, e))
SIDESTREAM_MAY_FAIL(int, getsockopt, ENOBUFS, (int a, int b, int c, void* d, socklen_t* e) noexcept,
                    (a, b, c, d, e))
SIDESTREAM_MAY_FAIL(int, shutdown, ENOTCONN, (int a, int b) noexcept, (a, b))
SIDESTREAM_MAY_FAIL(ssize_t, send, ENOBUFS, (int a, const void* b, size_t c, int d), (a, b, c, d))
SIDESTREAM_MAY_FAIL(ssize_t, sendmsg, ENOBUFS, (int a, const msghdr* b, int c), (a, b, c))
SIDESTREAM_MAY_FAIL(int, sendmmsg, ENOBUFS, (int a, mmsghdr* b, unsigned c, int d), (a, b, c, d))
SIDESTREAM_MAY_FAIL(ssize_t, recv, ENOMEM, (int a, void* b, size_t c, int d), (a, b, c, d))
SIDESTREAM_MAY_FAIL(ssize_t, recvmsg, ENOMEM, (int a, msghdr* b, int c), (a, b, c))
SIDESTREAM_MAY_FAIL(int, recvmmsg, ENOMEM, (int a, mmsghdr* b, unsigned c, int d, timespec* e),
                    (a, b, c, d, e))
SIDESTREAM_MAY_FAIL(ssize_t, readv, EIO, (int a, const iovec* b, int c), (a, b, c))
SIDESTREAM_MAY_FAIL(ssize_t, writev, ENOSPC, (int a, const iovec* b, int c), (a, b, c))
SIDESTREAM_MAY_FAIL(int, fsync, EIO, (int a), (a))
SIDESTREAM_MAY_FAIL(int, rename, EIO, (const char* a, const char* b) noexcept, (a, b))
SIDESTREAM_MAY_FAIL(int, unlink, EIO, (const char* a) noexcept, (a))
SIDESTREAM_MAY_FAIL(int, mkdir, EACCES, (const char* a, mode_t b) noexcept, (a, b))
SIDESTREAM_MAY_FAIL(int, stat, EIO, (const char* a, struct stat* b) noexcept, (a, b))
SIDESTREAM_MAY_FAIL(int, fstat, EIO, (int a, struct stat* b) noexcept, (a, b))
SIDESTREAM_MAY_FAIL(int, pipe2, EMFILE, (int a[2], int b) noexcept, (a, b))
SIDESTREAM_MAY_FAIL(int, eventfd, EMFILE, (unsigned a, int b) noexcept, (a, b))
SIDESTREAM_MAY_FAIL(int, epoll_create1, EMFILE, (int a) noexcept, (a))
SIDESTREAM_MAY_FAIL(int, timerfd_create, EMFILE, (int a, int b) noexcept, (a, b))

// Pipes and counters inside of a program cannot fail.
ssize_t read(int fd, void* into, size_t bytes) {
  static const auto real = next(&::read, "read");
  if (is_a(S_IFREG, fd) && fails("read")) return errno = EIO, -1;
  return real(fd, into, bytes);
}

ssize_t write(int fd, const void* from, size_t bytes) {
  static const auto real = next(&::write, "write");
  if (is_a(S_IFREG, fd) && fails("write")) return errno = ENOSPC, -1;
  return real(fd, from, bytes);
}

// What Asio registers for itself when it begins, it does not look at.
int epoll_ctl(int epoll, int what, int fd, epoll_event* event) noexcept {
  static const auto real = next(&::epoll_ctl, "epoll_ctl");
  if (is_a(S_IFSOCK, fd) && fails("epoll_ctl")) return errno = ENOMEM, -1;
  return real(epoll, what, fd, event);
}

int open(const char* path, int flags, ...) {
  static const auto real = next(&::open, "open");
  mode_t mode = 0;
  if ((flags & (O_CREAT | O_TMPFILE)) != 0) {
    va_list arguments;
    va_start(arguments, flags);
    mode = va_arg(arguments, mode_t);
    va_end(arguments);
  }
  if (fails("open")) return errno = EMFILE, -1;
  return real(path, flags, mode);
}

int getaddrinfo(const char* host, const char* service, const addrinfo* hints, addrinfo** found) {
  static const auto real = next(&::getaddrinfo, "getaddrinfo");
  if (fails("getaddrinfo")) return EAI_MEMORY;
  return real(host, service, hints, found);
}

int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*run)(void*),
                   void* argument) noexcept {
  static const auto real = next(&::pthread_create, "pthread_create");
  if (fails("pthread_create")) return EAGAIN;
  return real(thread, attributes, run, argument);
}

// ---- the clock ---------------------------------------------------------------------------------

int clock_gettime(clockid_t clock, timespec* time) noexcept {
  static const auto real = next(&::clock_gettime, "clock_gettime");
  const int code = real(clock, time);
  if (code == 0 && control != nullptr &&
      (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
    time->tv_sec += control->wall_offset_seconds.load();
  return code;
}

time_t time(time_t* into) noexcept {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  if (into != nullptr) *into = now.tv_sec;
  return now.tv_sec;
}

int gettimeofday(timeval* into, void*) noexcept {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  *into = {.tv_sec = now.tv_sec, .tv_usec = now.tv_nsec / 1000};
  return 0;
}

// ---- memory ------------------------------------------------------------------------------------

void* __libc_malloc(size_t bytes);
void* __libc_calloc(size_t count, size_t bytes);
void* __libc_realloc(void* memory, size_t bytes);

void* malloc(size_t bytes) {
  return allocation_fails() ? nullptr : __libc_malloc(bytes);
}

void* calloc(size_t count, size_t bytes) {
  return allocation_fails() ? nullptr : __libc_calloc(count, bytes);
}

void* realloc(void* memory, size_t bytes) {
  return allocation_fails() ? nullptr : __libc_realloc(memory, bytes);
}

}  // extern "C"

// NOLINTEND
