// Plain sockets for programs that make load: many streams on one thread, and a server that sends
// back what comes. Failures are thrown as system_error.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <iostream>
#include <string>
#include <string_view>
#include <system_error>

namespace sidestream {

inline constexpr int events_at_once = 512;

inline int checked(int result, const char* what) {
  if (result < 0) throw std::system_error(errno, std::system_category(), what);
  return result;
}

// A word of the command line.
template <typename Number>
Number number_of(std::string_view text) {
  Number number = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (problem != std::errc() || end != text.data() + text.size())
    throw std::system_error(EINVAL, std::system_category(), std::string(text));
  return number;
}

inline sockaddr_in address_of(const char* address, std::string_view port) {
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_port = htons(number_of<std::uint16_t>(port));
  if (::inet_pton(AF_INET, address, &where.sin_addr) != 1)
    throw std::system_error(EINVAL, std::system_category(), address);
  return where;
}

inline int open_socket() {
  const int fd =
      checked(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), "socket");
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

inline void reset(int fd) {
  const linger at_once{1, 0};
  ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  ::close(fd);
}

inline void watch(int epoll, int operation, int fd, std::uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.fd = fd;
  checked(::epoll_ctl(epoll, operation, fd, &event), "epoll_ctl");
}

inline int listen_at(const sockaddr_in& where) {
  const int listener = open_socket();
  const int on = 1;
  ::setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  checked(::bind(listener, reinterpret_cast<const sockaddr*>(&where), sizeof where), "bind");
  checked(::listen(listener, SOMAXCONN), "listen");
  return listener;
}

// What a client sends before it has its answer, 4 KiB at most, fits any socket's buffer.
inline void echo(int fd) {
  std::array<char, 4096> bytes{};
  const ssize_t count = ::recv(fd, bytes.data(), bytes.size(), 0);
  if (count < 0 && errno == EAGAIN) return;
  if (count > 0) {
    if (::send(fd, bytes.data(), static_cast<std::size_t>(count), MSG_NOSIGNAL) != count) reset(fd);
    return;
  }
  ::close(fd);
}

// Sends back what comes and ends when the client has ended. Says `ready` on standard output.
[[noreturn]] inline void serve_echo(const sockaddr_in& where) {
  const int listener = listen_at(where);
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

}  // namespace sidestream
