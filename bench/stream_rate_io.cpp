// stream_rate: short streams, one question and one answer each, as many as will go.
//
//   stream_rate serve ADDRESS PORT
//     answers each byte with itself and ends when the client has ended
//   stream_rate ask ADDRESS PORT SECONDS STREAMS
//     keeps STREAMS streams going at once: connect, one byte there and back, end in order. Prints
//     how many were whole and how many failed, as JSON.
#include <array>
#include <chrono>
#include <cstdint>
#include <iostream>
#include <span>
#include <string>
#include <string_view>

#include "tests/support/load_sockets_io.h"

namespace sidestream {
namespace {

using Clock = std::chrono::steady_clock;

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
    watch(epoll_, EPOLL_CTL_ADD, fd, EPOLLOUT | EPOLLONESHOT);
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
  void await_bytes(int fd) { watch(epoll_, EPOLL_CTL_MOD, fd, EPOLLIN | EPOLLONESHOT); }
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
      serve_echo(address_of(words[1], words[2]));
    if (words.size() == 5 && std::string(words[0]) == "ask") {
      Client(address_of(words[1], words[2]), number_of<std::uint16_t>(words[4]))
          .run(std::chrono::seconds(number_of<std::uint16_t>(words[3])));
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
