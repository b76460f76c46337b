// stream_rate: short streams, one question and one answer each, as many as will go.
//
//   stream_rate serve ADDRESS PORT
//     answers each byte with itself and ends when the client has ended
//   stream_rate ask ADDRESS PORT SECONDS STREAMS
//     keeps STREAMS streams going at once: connect, one byte there and back, end in order. Prints
//     how many were whole and how many failed, as JSON.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <iostream>
#include <span>
#include <string>
#include <string_view>
#include <system_error>

namespace sidestream {
namespace {

using Clock = std::chrono::steady_clock;
constexpr int events_at_once = 256;

int checked(int result, const char* what) {
  if (result < 0) throw std::system_error(errno, std::system_category(), what);
  return result;
}

std::uint16_t number_of(std::string_view text) {
  std::uint16_t number = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (problem != std::errc() || end != text.data() + text.size())
    throw std::system_error(EINVAL, std::system_category(), std::string(text));
  return number;
}

sockaddr_in address_of(const char* address, std::string_view port) {
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_port = htons(number_of(port));
  if (::inet_pton(AF_INET, address, &where.sin_addr) != 1)
    throw std::system_error(EINVAL, std::system_category(), address);
  return where;
}

int open_socket() {
  const int fd =
      checked(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), "socket");
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

void watch(int epoll, int fd, std::uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.fd = fd;
  checked(::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
}

int listen_at(const sockaddr_in& where) {
  const int listener = open_socket();
  const int on = 1;
  ::setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  checked(::bind(listener, reinterpret_cast<const sockaddr*>(&where), sizeof where), "bind");
  checked(::listen(listener, SOMAXCONN), "listen");
  return listener;
}

void echo(int fd) {
  std::array<char, 256> bytes{};
  const ssize_t count = ::recv(fd, bytes.data(), bytes.size(), 0);
  if (count > 0 && ::send(fd, bytes.data(), static_cast<std::size_t>(count), MSG_NOSIGNAL) == count)
    return;
  if (count < 0 && errno == EAGAIN) return;
  ::close(fd);
}

[[noreturn]] void serve(const sockaddr_in& where) {
  const int listener = listen_at(where);
  const int epoll = checked(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1");
  watch(epoll, listener, EPOLLIN);
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
        watch(epoll, accepted, EPOLLIN);
    }
  }
}

class Client {
 public:
  Client(const sockaddr_in& where, int streams)
      : where_(where), epoll_(checked(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1")) {
    for (int i = 0; i < streams; ++i) open_one();
  }

  void run(Clock::duration time) {
    const auto began = Clock::now();
    std::array<epoll_event, events_at_once> events{};
    while (Clock::now() - began < time) {
      const int count = ::epoll_wait(epoll_, events.data(), events_at_once, 100);
      for (int i = 0; i < count; ++i) {
        const epoll_event& event = events[static_cast<std::size_t>(i)];
        handle(event.data.fd, event.events);
      }
    }
    const double seconds = std::chrono::duration<double>(Clock::now() - began).count();
    std::cout << "{\"whole\": " << whole_ << ", \"failed\": " << failed_
              << ", \"seconds\": " << seconds << "}" << std::endl;
  }

 private:
  void open_one() {
    const int fd = open_socket();
    const int result = ::connect(fd, reinterpret_cast<const sockaddr*>(&where_), sizeof where_);
    if (result < 0 && errno != EINPROGRESS) checked(result, "connect");
    watch(epoll_, fd, EPOLLOUT | EPOLLONESHOT);
  }
  // Connected: ask. The answer: end. The end of the other side: the next stream.
  void handle(int fd, std::uint32_t events) {
    if ((events & EPOLLERR) != 0) return replace(fd, false);
    if ((events & EPOLLOUT) != 0) {
      if (::send(fd, "x", 1, MSG_NOSIGNAL) != 1) return replace(fd, false);
      return await_bytes(fd);
    }
    std::array<char, 16> bytes{};
    const ssize_t count = ::recv(fd, bytes.data(), bytes.size(), 0);
    if (count == 1) {
      ::shutdown(fd, SHUT_WR);
      return await_bytes(fd);
    }
    replace(fd, count == 0);
  }
  void await_bytes(int fd) {
    epoll_event event{};
    event.events = EPOLLIN | EPOLLONESHOT;
    event.data.fd = fd;
    checked(::epoll_ctl(epoll_, EPOLL_CTL_MOD, fd, &event), "epoll_ctl");
  }
  void replace(int fd, bool whole) {
    ++(whole ? whole_ : failed_);
    ::close(fd);
    open_one();
  }

  sockaddr_in where_;
  int epoll_;
  std::uint64_t whole_ = 0;
  std::uint64_t failed_ = 0;
};

int run(std::span<char* const> words) {
  try {
    if (words.size() == 3 && std::string(words[0]) == "serve")
      serve(address_of(words[1], words[2]));
    if (words.size() == 5 && std::string(words[0]) == "ask") {
      Client(address_of(words[1], words[2]), number_of(words[4]))
          .run(std::chrono::seconds(number_of(words[3])));
      return 0;
    }
  } catch (const std::exception& failure) {
    std::cerr << "stream_rate: " << failure.what() << '\n';
    return 1;
  }
  std::cerr << "usage: stream_rate serve ADDRESS PORT | ask ADDRESS PORT SECONDS STREAMS\n";
  return 2;
}

}  // namespace
}  // namespace sidestream

int main(int count, char** values) {
  return sidestream::run(std::span(values + 1, values + count));
}
