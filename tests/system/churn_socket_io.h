// Sockets of churn, and the bytes that its streams carry.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <system_error>

namespace sidestream {

inline constexpr int events_at_once = 512;
inline constexpr std::size_t question_bytes_min = 64;
inline constexpr std::size_t question_bytes_max = 1024;

inline int checked(int result, const char* what) {
  if (result < 0) throw std::system_error(errno, std::system_category(), what);
  return result;
}

inline sockaddr_in address_of(const char* address, std::uint16_t port) {
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_port = htons(port);
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

// The endless bytes of a stream.
inline char content(std::uint64_t stream, std::uint64_t offset) {
  std::uint64_t mixed = (stream + 1) * 0x9e3779b97f4a7c15U + offset;
  mixed = (mixed ^ (mixed >> 30U)) * 0xbf58476d1ce4e5b9U;
  mixed = (mixed ^ (mixed >> 27U)) * 0x94d049bb133111ebU;
  return static_cast<char>(mixed >> 56U);
}

}  // namespace sidestream
