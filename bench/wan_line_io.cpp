// wan_line: a line between two network namespaces that is as long, narrow and bad as one wants.
// The kernel's netem does the same where a kernel has it.
//
//   wan_line LEFT RIGHT THERE [BACK]
//
// Makes the tun devices LEFT and RIGHT, to be moved to the two namespaces, and carries each IP
// packet from one to the other: THERE says how good the line from LEFT to RIGHT is, BACK the other
// direction (the same when it is not given), in the words of tests/support/link_quality_text.h.
// Prints `ready`, and counters when it ends (SIGTERM).
#include <poll.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <iostream>
#include <vector>

#include "tests/support/link_quality_text.h"
#include "tests/support/tun_device_io.h"

namespace sidestream {
namespace {

constexpr std::size_t packet_bytes_max = 65536;
volatile std::sig_atomic_t ended = 0;

// One direction.
class Way {
 public:
  Way(int from, int to, const LinkQuality& quality, std::uint32_t seed)
      : from_(from), to_(to), link_(quality, SeededRandom(seed)) {}

  void take(Instant now) {
    for (;;) {
      const ssize_t bytes = ::read(from_, buffer_.data(), buffer_.size());
      if (bytes <= 0) return;
      link_.send(now, Bytes(buffer_).first(static_cast<std::size_t>(bytes)));
    }
  }
  void give(Instant now) {
    while (const auto packet = link_.receive(now))
      if (::write(to_, packet->data(), packet->size()) >= 0) ++given_;
  }
  [[nodiscard]] std::optional<Instant> next_arrival() const { return link_.next_arrival(); }
  void print(const char* name) const {
    std::cout << name << ": " << link_.sent_packets() << " packets in, " << given_ << " out, "
              << link_.overflowed_packets() << " did not fit the queue" << std::endl;
  }

 private:
  int from_;
  int to_;
  SimulatedLink link_;
  std::array<std::uint8_t, packet_bytes_max> buffer_{};
  std::uint64_t given_ = 0;
};

// Until the next packet has arrived at its far end, but one second at most.
timespec time_until(const Way& there, const Way& back, Instant now) {
  Instant next = now + 1s;
  for (const Way* way : {&there, &back})
    if (const auto arrival = way->next_arrival(); arrival && *arrival < next) next = *arrival;
  const Duration left = std::max(next - now, Duration(0));
  timespec time{};
  time.tv_sec = left / 1s;
  time.tv_nsec = (left % 1s) / 1ns;
  return time;
}

void carry(std::span<char* const> words, const LinkQuality& there_quality,
           const LinkQuality& back_quality) {
  const int left = open_tun_device(words[0]);
  const int right = open_tun_device(words[1]);
  Way there(left, right, there_quality, 1);
  Way back(right, left, back_quality, 2);
  std::cout << "ready" << std::endl;
  std::array<pollfd, 2> polled{{{left, POLLIN, 0}, {right, POLLIN, 0}}};
  while (ended == 0) {
    const timespec time = time_until(there, back, std::chrono::steady_clock::now());
    ::ppoll(polled.data(), polled.size(), &time, nullptr);
    const Instant now = std::chrono::steady_clock::now();
    there.take(now);
    back.take(now);
    there.give(now);
    back.give(now);
  }
  there.print("there");
  back.print("back");
}

int run(std::span<char* const> words) {
  if (words.size() != 3 && words.size() != 4) {
    std::cerr << "usage: wan_line LEFT RIGHT THERE [BACK]\n";
    return 2;
  }
  const auto there = parse_link_quality(words[2]);
  const auto back = parse_link_quality(words.back());
  if (!there || !back) {
    std::cerr << "wan_line: cannot read how good the line is\n";
    return 2;
  }
  struct sigaction action{};
  action.sa_handler = [](int) { ended = 1; };
  ::sigaction(SIGTERM, &action, nullptr);
  ::sigaction(SIGINT, &action, nullptr);
  try {
    carry(words, *there, *back);
  } catch (const std::exception& failure) {
    std::cerr << "wan_line: " << failure.what() << '\n';
    return 1;
  }
  return 0;
}

}  // namespace
}  // namespace sidestream

int main(int count, char** values) {
  return sidestream::run(std::span(values + 1, values + count));
}
