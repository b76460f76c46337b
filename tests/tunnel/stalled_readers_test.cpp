// Streams that nobody reads at the other end, whose memory is small, beside streams that talk.
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "tests/support/tcp_pair.h"
#include "tests/support/tcp_transcript.h"

namespace sidestream::tunnel {
namespace {

constexpr std::uint16_t bulk_port = 443;
constexpr std::uint16_t echo_port = 22;
constexpr std::size_t echoes = 10;
constexpr std::size_t question_bytes = 1000;

struct StalledReadersCase {
  std::size_t streams = 1000;
  std::size_t memory_bytes = 16U << 20U;  // of the host where they are not read
  Duration time = 40s;
  LinkQuality line{.bytes_per_second = 62'500'000, .delay = 500us};
};

class StalledReaders {
 public:
  explicit StalledReaders(const StalledReadersCase& stalled)
      : case_(stalled), pair_(setup(stalled)), text_(65536) {}

  // The longest that a question of the others waited for its answer.
  Duration slowest() {
    EXPECT_TRUE(pair_.server().listen(bulk_port) && pair_.server().listen(echo_port));
    const Instant end = pair_.now() + case_.time;
    for (std::size_t i = 0; i < echoes; ++i)
      streams_[*pair_.client().connect(pair_.now(), pair_.server_at(echo_port))].echo = true;
    open_at_ = pair_.now() + 1s;
    pair_.run(
        end,
        [this](bool at_client, const StackEvent& event) {
          at_client ? on_client(event) : on_server(event);
        },
        [] { return false; }, [this] { return act(); });
    for (const auto& [id, stream] : streams_)
      if (stream.asked_at) slowest_ = std::max(slowest_, pair_.now() - *stream.asked_at);
    return slowest_;
  }

 private:
  struct Stream {
    bool echo = false;
    std::optional<Instant> asked_at;
    std::size_t unwritten = 0;
    std::size_t answered = 0;
  };

  static TcpPair::Setup setup(const StalledReadersCase& stalled) {
    TcpPair::Setup setup{.upward = stalled.line, .downward = stalled.line};
    setup.server_limits.memory_bytes_max = stalled.memory_bytes;
    return setup;
  }

  Instant act() {
    for (; opened_ < case_.streams && open_at_ <= pair_.now(); ++opened_, open_at_ += 2ms)
      (void)*pair_.client().connect(pair_.now(), pair_.server_at(bulk_port));
    while (!ask_at_.empty() && ask_at_.begin()->first <= pair_.now()) {
      ask(ask_at_.begin()->second);
      ask_at_.erase(ask_at_.begin());
    }
    Instant next = opened_ < case_.streams ? open_at_ : Instant::max();
    if (!ask_at_.empty()) next = std::min(next, ask_at_.begin()->first);
    return next;
  }

  void ask(ConnectionId id) {
    streams_[id].asked_at = pair_.now();
    streams_[id].unwritten = question_bytes;
    write(id);
  }

  void write(ConnectionId id) {
    std::size_t& unwritten = streams_[id].unwritten;
    unwritten -= pair_.client().write(pair_.now(), id, Bytes(text_).first(unwritten));
  }

  void on_client(const StackEvent& event) {
    const auto found = streams_.find(event.connection);
    if (found == streams_.end()) {
      while (pair_.client().write(pair_.now(), event.connection, text_) == text_.size()) {
      }
      return;
    }
    if (event.kind == StackEvent::Kind::connected) ask(event.connection);
    if (event.kind == StackEvent::Kind::writable) write(event.connection);
    Stream& stream = found->second;
    while (const std::size_t bytes =
               pair_.client().read(pair_.now(), event.connection, text_).bytes)
      stream.answered += bytes;
    if (stream.answered < question_bytes) return;
    stream.answered = 0;
    slowest_ = std::max(slowest_, pair_.now() - *stream.asked_at);
    stream.asked_at.reset();
    ask_at_.emplace(pair_.now() + 200ms, event.connection);
  }

  void on_server(const StackEvent& event) {
    if (event.kind == StackEvent::Kind::accepted) ports_[event.connection] = event.listener_port;
    if (ports_[event.connection] != echo_port) return;
    TcpStack& server = pair_.server();
    std::size_t& owed = owed_[event.connection];
    while (const std::size_t bytes = server.read(pair_.now(), event.connection, text_).bytes)
      owed += bytes;
    owed -= server.write(pair_.now(), event.connection, Bytes(text_).first(owed));
  }

  const StalledReadersCase case_;
  TcpPair pair_;
  std::vector<std::uint8_t> text_;
  std::map<ConnectionId, Stream> streams_;
  std::map<ConnectionId, std::uint16_t> ports_;
  std::map<ConnectionId, std::size_t> owed_;
  std::multimap<Instant, ConnectionId> ask_at_;
  Instant open_at_{};
  std::size_t opened_ = 0;
  Duration slowest_{0};
};

TEST(StalledReaders, LeaveTheLineToTheOthers) {
  for (const std::size_t megabytes : {256UL, 64UL, 16UL, 4UL})
    EXPECT_LT(StalledReaders({.memory_bytes = megabytes << 20U}).slowest(), 100ms) << megabytes;
}

// ---- a window that is taken back ----------------------------------------------------------------

TEST(StalledReaders, AWindowThatThereIsNoMemoryForIsSaidToBeShut) {
  TcpLimits limits;
  limits.memory_bytes_max = 2 * chunk_bytes;
  TcpTranscript t(limits);
  t.accept();
  std::size_t at = 1;
  const auto push = [&] {
    t.push("A seq " + std::to_string(at) + " ack 1 len 1000");
    at += 1000;
  };
  for (int i = 0; i < 4; ++i) {
    push();
    push();
    t.expect("A seq 1 ack " + std::to_string(at));
  }
  // What is left of the chunk that the first byte fell into, and the whole of the next.
  push();
  t.expect("A seq 1 ack 8448 win 0");
  push();
  t.expect("A seq 1 ack 8448 win 0");
  EXPECT_EQ(t.read(8000), 8000U);
  t.expect_silence();
  EXPECT_EQ(t.read(8000), 447U);
  t.expect("A seq 1 ack 8448 win 256");
}

TEST(StalledReaders, AWindowThatIsTakenBackSaysNothingAboutThePath) {
  TcpTranscript t;
  t.accept();
  t.write(4000);
  for (int i = 0; i < 4; ++i) t.expect("A len 1000");
  const std::size_t window = t.status().congestion_window_bytes;
  t.push("A seq 1 ack 1 win 0");
  t.expect_silence();
  // The timer asks, as for any window that is shut.
  t.advance(210ms);
  t.expect("A seq 1 len 1000");
  t.push("A seq 1 ack 1 win 0");
  t.advance(400ms);
  t.expect_silence();
  t.advance(20ms);
  t.expect("A seq 1 len 1000");
  t.push("A seq 1 ack 1 win 0");
  EXPECT_EQ(t.status().congestion_window_bytes, window);
  t.push("A seq 1 ack 1 win 60000");
  for (const int begin : {1, 1001, 2001, 3001})
    t.expect("A seq " + std::to_string(begin) + " len 1000");
  t.expect_silence();
  EXPECT_EQ(t.status().congestion_window_bytes, window);
}

}  // namespace
}  // namespace sidestream::tunnel
