// Many streams to one peer over a path that is silent for a while: how long each of them waits.
#include <gtest/gtest.h>

#include <map>
#include <queue>
#include <set>

#include "tests/support/tcp_pair.h"

namespace sidestream::tunnel {
namespace {

constexpr std::uint16_t port = 443;

struct SilentPathCase {
  std::size_t streams = 300;
  std::size_t question_bytes = 600;
  std::size_t short_per_second = 0;  // that ask once and end
  Duration pause = 150ms;            // between an answer and the next question
  Duration silence = 2s;
  LinkQuality line{.bytes_per_second = 6'250'000, .queue_bytes_max = 250'000, .delay = 20ms};
};

// Each stream asks, is answered with as many bytes, pauses and asks again.
class SilentPath {
 public:
  explicit SilentPath(const SilentPathCase& path)
      : path_(path), pair_({.upward = path.line, .downward = path.line}), text_(65536) {}

  // The longest that an answer took that was asked for before the path came back.
  Duration slowest() {
    EXPECT_TRUE(pair_.server().listen(port));
    const Instant start = pair_.now();
    silent_from_ = start + 3s;
    silent_until_ = silent_from_ + path_.silence;
    for (std::size_t i = 0; i < path_.streams; ++i) open_at_.push(start + Duration(2ms) * i);
    next_short_at_ = path_.short_per_second > 0 ? start + 1s : Instant::max();
    pair_.run(
        silent_until_ + 5s,
        [this](bool at_client, const StackEvent& event) {
          at_client ? on_client(event) : on_server(event);
        },
        [] { return false; }, [this] { return act(); });
    for (const auto& [id, stream] : streams_)
      if (stream.asked_at && *stream.asked_at < silent_until_)
        slowest_ = std::max(slowest_, pair_.now() - *stream.asked_at);
    return slowest_;
  }

 private:
  struct Stream {
    std::optional<Instant> asked_at;
    std::size_t answered = 0;
    bool ends = false;
  };

  Instant act() {
    const Instant now = pair_.now();
    const bool silent = now >= silent_from_ && now < silent_until_;
    if (std::exchange(silent_, silent) != silent) {
      LinkQuality line = path_.line;
      if (silent) line.loss = 1;
      pair_.upward().set_quality(line);
      pair_.downward().set_quality(line);
    }
    for (; !open_at_.empty() && open_at_.front() <= now; open_at_.pop())
      streams_[*pair_.client().connect(now, pair_.server_at(port))].asked_at = now;
    for (; next_short_at_ <= now; next_short_at_ += Duration(1s) / path_.short_per_second) {
      Stream& stream = streams_[*pair_.client().connect(now, pair_.server_at(port))];
      stream.asked_at = now;
      stream.ends = true;
    }
    while (!ask_at_.empty() && ask_at_.begin()->first <= now) {
      streams_[ask_at_.begin()->second].asked_at = now;
      ask(ask_at_.begin()->second);
      ask_at_.erase(ask_at_.begin());
    }
    Instant next = silent ? silent_until_ : now < silent_from_ ? silent_from_ : Instant::max();
    if (!ask_at_.empty()) next = std::min(next, ask_at_.begin()->first);
    if (!open_at_.empty()) next = std::min(next, open_at_.front());
    return std::min(next, next_short_at_);
  }

  void ask(ConnectionId id) {
    EXPECT_EQ(pair_.client().write(pair_.now(), id, Bytes(text_).first(path_.question_bytes)),
              path_.question_bytes);
  }

  void end(ConnectionId id) {
    pair_.client().close_write(pair_.now(), id);
    ending_.insert(id);
    streams_.erase(id);
  }

  void on_client(const StackEvent& event) {
    if (event.kind == StackEvent::Kind::connected) ask(event.connection);
    if (ending_.contains(event.connection)) {
      if (!pair_.client().read(pair_.now(), event.connection, text_).end) return;
      pair_.client().release(pair_.now(), event.connection);
      ending_.erase(event.connection);
      return;
    }
    Stream& stream = streams_[event.connection];
    while (const std::size_t bytes =
               pair_.client().read(pair_.now(), event.connection, text_).bytes)
      stream.answered += bytes;
    if (stream.answered < path_.question_bytes) return;
    stream.answered = 0;
    slowest_ = std::max(slowest_, pair_.now() - *stream.asked_at);
    stream.asked_at.reset();
    if (stream.ends) return end(event.connection);
    ask_at_.emplace(pair_.now() + path_.pause, event.connection);
  }

  void on_server(const StackEvent& event) {
    TcpStack& server = pair_.server();
    for (;;) {
      const auto got = server.read(pair_.now(), event.connection, text_);
      if (got.end) {
        server.close_write(pair_.now(), event.connection);
        server.release(pair_.now(), event.connection);
      }
      if (got.bytes == 0) return;
      server.write(pair_.now(), event.connection, Bytes(text_).first(got.bytes));
    }
  }

  const SilentPathCase path_;
  TcpPair pair_;
  std::vector<std::uint8_t> text_;
  std::map<ConnectionId, Stream> streams_;
  std::queue<Instant> open_at_;
  Instant next_short_at_{};
  std::set<ConnectionId> ending_;
  std::multimap<Instant, ConnectionId> ask_at_;
  Instant silent_from_{};
  Instant silent_until_{};
  bool silent_ = false;
  Duration slowest_{0};
};

// The retransmission timers have gone off three times each; whoever is heard first ends the wait
// for all of them, and none takes room from those who had nothing on the way.
TEST(SilentPath, EveryStreamGoesOnAtOnceWhenItEnds) {
  EXPECT_LT(SilentPath({}).slowest(), 2300ms);
  EXPECT_LT(SilentPath({.line = {.delay = 100us}}).slowest(), 2300ms);
}

// Short streams that come all the time must not find the line taken by what was lost, and the model
// must not take the slow acknowledgments of lone segments for a slow line.
TEST(SilentPath, SoDoThoseThatCome) {
  EXPECT_LT(SilentPath({.short_per_second = 300}).slowest(), 2300ms);
  EXPECT_LT(SilentPath({.short_per_second = 900, .line = {.delay = 100us}}).slowest(), 2300ms);
}

}  // namespace
}  // namespace sidestream::tunnel
