#include "tests/system/churn_clients_io.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <system_error>
#include <vector>

#include "tests/support/load_sockets_io.h"
#include "tests/system/churn_socket_io.h"

namespace sidestream {
namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr std::size_t short_at_once_max = 16384;
constexpr auto short_time_max = 60s;
constexpr auto report_interval = 60s;
constexpr std::uint64_t reset_every = 8;

void close_in_order(int fd) {
  ::close(fd);
}

struct Stream {
  int fd = -1;
  std::uint64_t number = 0;
  bool lives_long = false;
  bool connected = false;
  bool ending = false;  // our direction has ended
  std::uint64_t sent = 0;
  std::uint64_t received = 0;
  Clock::time_point asked;  // connect or the last question

  [[nodiscard]] bool idle() const { return connected && !ending && sent == received; }
};

// What became of streams of one kind.
struct Tally {
  std::uint64_t begun = 0;
  std::uint64_t whole = 0;
  std::uint64_t questions = 0;  // that were answered
  std::uint64_t failed = 0;
  Clock::duration slowest{};  // answer, the connect included
  std::map<std::string, std::uint64_t> why;

  [[nodiscard]] std::string json() const {
    std::string reasons;
    for (const auto& [reason, count] : why)
      reasons += (reasons.empty() ? "\"" : ", \"") + reason + "\": " + std::to_string(count);
    return "{\"begun\": " + std::to_string(begun) + ", \"whole\": " + std::to_string(whole) +
           ", \"questions\": " + std::to_string(questions) +
           ", \"failed\": " + std::to_string(failed) +
           ", \"slowest\": " + std::to_string(std::chrono::duration<double>(slowest).count()) +
           ", \"why\": {" + reasons + "}}";
  }
};

class Clients {
 public:
  explicit Clients(const ChurnPlan& plan)
      : where_(plan.where),
        rate_(plan.rate),
        long_streams_(plan.long_streams),
        epoll_(checked(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1")) {}

  // Whether every stream was as it should be.
  bool run(Clock::duration time) {
    began_ = reported_ = swept_ = Clock::now();
    open_long_streams();
    began_ = reported_ = Clock::now();
    const auto end = began_ + time;
    while (Clock::now() < end) {
      begin_what_is_due();
      turn();
    }
    stopping_ = true;
    for (const auto& stream : streams_)
      if (stream && stream->lives_long && stream->idle()) finish(*stream);
    const auto patience = Clock::now() + short_time_max;
    while (open_ > 0 && Clock::now() < patience) turn();
    for (const auto& stream : streams_)
      if (stream) fail(*stream, "never ended");
    report("end");
    return short_.failed + long_.failed + skipped_ == 0;
  }

 private:
  void open_long_streams() {
    for (unsigned i = 0; i < long_streams_; ++i) {
      long_fds_.push_back(open_one(true));
      turn();
    }
    const auto patience = Clock::now() + short_time_max;
    const auto all_up = [this] {
      return std::ranges::all_of(long_fds_,
                                 [this](int fd) { return find(fd) && find(fd)->connected; });
    };
    while (!all_up() && Clock::now() < patience) turn();
    std::cout << "up" << std::endl;
  }

  void begin_what_is_due() {
    const double seconds = std::chrono::duration<double>(Clock::now() - began_).count();
    for (; static_cast<double>(short_due_) < seconds * rate_; ++short_due_) {
      if (open_ - long_open_ < short_at_once_max)
        open_one(false);
      else
        ++skipped_;
    }
    for (; static_cast<double>(long_due_) < seconds * long_streams_; ++long_due_) {
      Stream* stream = find(long_fds_[long_due_ % long_streams_]);
      if (stream != nullptr && stream->lives_long && stream->idle()) ask(*stream, Clock::now());
    }
  }

  void turn() {
    std::array<epoll_event, events_at_once> events{};
    const int count = ::epoll_wait(epoll_, events.data(), events_at_once, 1);
    for (int i = 0; i < count; ++i) {
      const epoll_event& event = events[static_cast<std::size_t>(i)];
      if (Stream* stream = find(event.data.fd)) handle(*stream, event.events);
    }
    const auto now = Clock::now();
    if (now - swept_ > 1s) sweep(now);
    if (now - reported_ > report_interval) {
      reported_ = now;
      report("so far");
    }
  }

  Stream* find(int fd) {
    const auto index = static_cast<std::size_t>(fd);
    return index < streams_.size() ? streams_[index].get() : nullptr;
  }

  int open_one(bool lives_long) {
    auto stream = std::make_unique<Stream>();
    stream->fd = open_socket();
    stream->number = numbers_++;
    stream->lives_long = lives_long;
    stream->asked = Clock::now();
    const auto index = static_cast<std::size_t>(stream->fd);
    if (index >= streams_.size()) streams_.resize(index + 1);
    Stream& opened = *(streams_[index] = std::move(stream));
    ++open_;
    if (lives_long) ++long_open_;
    ++tally(opened).begun;
    const int result =
        ::connect(opened.fd, reinterpret_cast<const sockaddr*>(&where_), sizeof where_);
    if (result < 0 && errno != EINPROGRESS) {
      fail(opened, std::system_category().message(errno));
      return -1;
    }
    watch(epoll_, EPOLL_CTL_ADD, opened.fd, EPOLLOUT);
    return opened.fd;
  }

  void handle(Stream& stream, std::uint32_t events) {
    if (stream.connected || (events & EPOLLERR) != 0) return receive(stream);
    stream.connected = true;
    watch(epoll_, EPOLL_CTL_MOD, stream.fd, EPOLLIN);
    ask(stream, stream.asked);
  }

  void ask(Stream& stream, Clock::time_point since) {
    std::array<char, question_bytes_max> bytes{};
    const std::size_t size = question_bytes_min + (stream.number * 131 + stream.sent * 17) %
                                                      (question_bytes_max - question_bytes_min);
    for (std::size_t i = 0; i < size; ++i) bytes[i] = content(stream.number, stream.sent + i);
    stream.asked = since;
    stream.sent += size;
    if (::send(stream.fd, bytes.data(), size, MSG_NOSIGNAL) < 0)
      fail(stream, std::system_category().message(errno));
  }

  void receive(Stream& stream) {
    std::array<char, 2 * question_bytes_max> bytes{};
    const ssize_t count = ::recv(stream.fd, bytes.data(), bytes.size(), 0);
    if (count < 0) {
      if (errno == EAGAIN) return;
      return fail(stream, std::system_category().message(errno));
    }
    if (count == 0) {
      if (!stream.ending || stream.received != stream.sent) return fail(stream, "ended early");
      ++tally(stream).whole;
      return forget(stream);
    }
    for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i)
      if (bytes[i] != content(stream.number, stream.received + i))
        return fail(stream, "a wrong byte");
    stream.received += static_cast<std::uint64_t>(count);
    if (stream.received > stream.sent) return fail(stream, "more than was asked for");
    if (stream.received == stream.sent) answered(stream);
  }

  void answered(Stream& stream) {
    Tally& kind = tally(stream);
    ++kind.questions;
    kind.slowest = std::max(kind.slowest, Clock::now() - stream.asked);
    if (!stream.lives_long || stopping_) finish(stream);
  }

  void finish(Stream& stream) {
    if (!stream.lives_long && stream.number % reset_every == 0) {
      ++short_.whole;
      return forget(stream, &reset);
    }
    stream.ending = true;
    stream.asked = Clock::now();
    ::shutdown(stream.fd, SHUT_WR);
  }

  void fail(Stream& stream, const std::string& why) {
    ++tally(stream).failed;
    ++tally(stream).why[why];
    forget(stream);
  }

  void forget(Stream& stream, void (*close)(int) = &close_in_order) {
    --open_;
    if (stream.lives_long) --long_open_;
    const int fd = stream.fd;
    streams_[static_cast<std::size_t>(fd)].reset();
    close(fd);
  }

  void sweep(Clock::time_point now) {
    swept_ = now;
    for (const auto& stream : streams_)
      if (stream && !stream->lives_long && now - stream->asked > short_time_max)
        fail(*stream, "no answer for a minute");
  }

  void report(std::string_view what) const {
    const double seconds = std::chrono::duration<double>(Clock::now() - began_).count();
    std::cout << "{\"what\": \"" << what << "\", \"seconds\": " << seconds
              << ", \"open\": " << open_ << ", \"skipped\": " << skipped_
              << ", \"short\": " << short_.json() << ", \"long\": " << long_.json() << "}"
              << std::endl;
  }

  [[nodiscard]] Tally& tally(const Stream& stream) { return stream.lives_long ? long_ : short_; }

  sockaddr_in where_;
  unsigned rate_;
  unsigned long_streams_;
  int epoll_;
  std::vector<std::unique_ptr<Stream>> streams_;  // by descriptor
  std::vector<int> long_fds_;
  std::uint64_t numbers_ = 0;
  std::size_t open_ = 0;
  std::size_t long_open_ = 0;
  std::uint64_t short_due_ = 0;
  std::uint64_t long_due_ = 0;
  std::uint64_t skipped_ = 0;  // not begun: too many were open
  Tally short_;
  Tally long_;
  Clock::time_point began_;
  Clock::time_point reported_;
  Clock::time_point swept_;
  bool stopping_ = false;  // long streams end after their last answer
};

}  // namespace

bool run_churn(const ChurnPlan& plan) {
  return Clients(plan).run(plan.time);
}

}  // namespace sidestream
