// churn: streams that come and go, and others that stay, each byte of which is checked.
//
//   churn serve ADDRESS PORT
//     sends back what comes and ends when the client has ended
//   churn clients ADDRESS PORT SECONDS RATE LONG
//     keeps LONG streams open, each with a question a second, and begins RATE short ones a second,
//     with one question each, whether or not the ones before have ended. Every eighth short one is
//     reset after its answer, the others end in order. Prints one line of JSON a minute and at the
//     end; the exit code is 1 when a stream was not as it should be.
#include <sys/resource.h>

#include <array>
#include <charconv>
#include <iostream>
#include <span>
#include <string>
#include <string_view>

#include "tests/system/churn_clients_io.h"
#include "tests/system/churn_socket_io.h"

namespace sidestream {
namespace {

template <typename Number>
Number number_of(std::string_view text) {
  Number number = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (problem != std::errc() || end != text.data() + text.size())
    throw std::system_error(EINVAL, std::system_category(), std::string(text));
  return number;
}

// What a client sends before it has its answer fits any socket's buffer.
void echo(int fd) {
  std::array<char, 4 * question_bytes_max> bytes{};
  const ssize_t count = ::recv(fd, bytes.data(), bytes.size(), 0);
  if (count < 0 && errno == EAGAIN) return;
  if (count > 0) {
    if (::send(fd, bytes.data(), static_cast<std::size_t>(count), MSG_NOSIGNAL) != count) reset(fd);
    return;
  }
  ::close(fd);
}

[[noreturn]] void serve(const sockaddr_in& where) {
  const int listener = open_socket();
  const int on = 1;
  ::setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  checked(::bind(listener, reinterpret_cast<const sockaddr*>(&where), sizeof where), "bind");
  checked(::listen(listener, SOMAXCONN), "listen");
  const int epoll = checked(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1");
  watch(epoll, EPOLL_CTL_ADD, listener, EPOLLIN);
  std::cout << "ready" << std::endl;
  std::array<epoll_event, events_at_once> events{};
  for (;;) {
    const int count = ::epoll_wait(epoll, events.data(), events_at_once, -1);
    for (int i = 0; i < count; ++i) {
      const int fd = events[static_cast<std::size_t>(i)].data.fd;
      if (fd != listener) {
        echo(fd);
        continue;
      }
      int accepted = -1;
      while ((accepted = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0)
        watch(epoll, EPOLL_CTL_ADD, accepted, EPOLLIN);
    }
  }
}

void raise_descriptor_limit() {
  rlimit limit{};
  checked(::getrlimit(RLIMIT_NOFILE, &limit), "getrlimit");
  limit.rlim_cur = limit.rlim_max;
  checked(::setrlimit(RLIMIT_NOFILE, &limit), "setrlimit");
}

int run(std::span<char* const> words) {
  try {
    raise_descriptor_limit();
    if (words.size() == 3 && std::string_view(words[0]) == "serve")
      serve(address_of(words[1], number_of<std::uint16_t>(words[2])));
    if (words.size() == 6 && std::string_view(words[0]) == "clients") {
      const ChurnPlan plan{address_of(words[1], number_of<std::uint16_t>(words[2])),
                           std::chrono::seconds(number_of<unsigned>(words[3])),
                           number_of<unsigned>(words[4]), number_of<unsigned>(words[5])};
      return run_churn(plan) ? 0 : 1;
    }
  } catch (const std::exception& failure) {
    std::cerr << "churn: " << failure.what() << '\n';
    return 1;
  }
  std::cerr << "usage: churn serve ADDRESS PORT | clients ADDRESS PORT SECONDS RATE LONG\n";
  return 2;
}

}  // namespace
}  // namespace sidestream

int main(int count, char** values) {
  return sidestream::run(std::span(values + 1, values + count));
}
