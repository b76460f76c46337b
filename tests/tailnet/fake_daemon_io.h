// A Tailscale daemon's LocalAPI at a Unix socket of a simulated host, as strict as the real one,
// with everything that can go wrong with one. It keeps what it was asked.
#pragma once

#include <list>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "control/http_message.h"
#include "streams/event_io.h"
#include "streams/task_group_io.h"
#include "tests/support/simulated_world_io.h"

namespace sidestream::tailnet {

class FakeDaemon {
 public:
  struct Answer {
    unsigned status = 200;
    std::string body;
    std::string fields = "";  // whole lines
  };

  FakeDaemon(World& world, SimulatedHost& host, std::string path)
      : world_(world), host_(host), path_(std::move(path)), group_(world.loop().executor()) {
    answers["status?peers=false"] = {.body = running("100.64.0.1")};
    answers["prefs"] = {.body = R"({"ControlURL":"https://hs.test","WantRunning":true})"};
  }
  ~FakeDaemon() {
    stop();
    world_.run(group_.stop());
  }

  static std::string running(const std::string& address) {
    return R"({"Version":"1.102.3","TUN":true,"BackendState":"Running","TailscaleIPs":[")" +
           address + R"("],"Self":{"DNSName":"home.tn.test."},"Peer":null})";
  }

  void start() {
    stopped_ = false;
    listener_ = host_.network().listen_unix(path_, 0666);
    group_.spawn(accept_all(*listener_), ignore);
    world_.settle();
  }
  // Everything that is open is cut, as when the process ends.
  void stop() {
    stopped_ = true;
    if (listener_) listener_->close();
    for (Stream* stream : streams_) stream->abort();
    changed_.notify_all();
    world_.settle();
  }
  // A line of the bus, or any bytes of it.
  void emit(std::string bytes) {
    bus_ += std::move(bytes);
    changed_.notify_all();
    world_.settle();
  }
  // The bus ends for who listens now, and nothing else.
  void cut_bus() {
    ++cuts_;
    changed_.notify_all();
    world_.settle();
  }

  std::map<std::string, Answer> answers;  // by target behind /localapi/v0/; others are 404
  std::map<std::string, int> not_yet;     // so often 404 before the answer
  bool has_bus = true;
  bool silent = false;                // accepts and says nothing
  bool garbage = false;               // says what is no HTTP
  std::vector<std::string> requests;  // `GET status?peers=false`

  [[nodiscard]] std::size_t open_streams() const { return streams_.size(); }

 private:
  static void ignore(const std::exception_ptr&) {}

  Task<> accept_all(Listener& listener) {
    for (;;) group_.spawn(serve(co_await listener.accept()), ignore);
  }

  Task<> serve(std::unique_ptr<Stream> stream) {
    streams_.push_back(stream.get());
    const auto place = std::prev(streams_.end());
    try {
      co_await answer(*stream);
    } catch (const system_error&) {
    }
    streams_.erase(place);
  }

  Task<> answer(Stream& stream) {
    control::HttpRequestParser parser;
    std::array<std::uint8_t, 4096> buffer{};
    control::HttpProgress progress = control::HttpProgress::need_more;
    while (progress == control::HttpProgress::need_more) {
      const std::size_t count = co_await stream.read_some(buffer);
      if (count == 0) co_return;
      progress = parser.feed(Bytes(buffer).first(count)).progress;
    }
    const control::HttpRequest request = parser.take();
    const std::string base = "/localapi/v0/";
    const std::string target = request.target.substr(std::min(request.target.size(), base.size()));
    requests.push_back(request.method + " " + target);
    if (silent) co_return co_await wait_stopped();
    if (garbage) co_return co_await write(stream, "SSH-2.0-OpenSSH_9.2\r\n\r\n");
    const std::string* host = control::find_field(request.fields, "host");
    const bool welcome = host != nullptr && *host == "local-tailscaled.sock" &&
                         control::find_field(request.fields, "origin") == nullptr &&
                         control::find_field(request.fields, "referer") == nullptr;
    if (!welcome || !request.target.starts_with(base))
      co_return co_await write(stream, text_of(403, "invalid localapi request"));
    if (target.starts_with("watch-ipn-bus") && has_bus) co_return co_await tell_bus(stream);
    co_await write(stream, answer_to(target));
  }

  std::string answer_to(const std::string& target) {
    const auto found = answers.find(target);
    const bool known = found != answers.end() && not_yet[target]-- <= 0;
    return known ? text_of(found->second) : text_of(404, "404 not found\n");
  }

  Task<> tell_bus(Stream& stream) {
    co_await write(stream, "HTTP/1.1 200 OK\r\nTailscale-Cap: 138\r\n\r\n");
    std::size_t next = bus_.size();
    const std::size_t cuts = cuts_;
    while (!stopped_ && cuts_ == cuts) {
      const std::string piece = bus_.substr(next);
      next = bus_.size();
      if (!piece.empty()) co_await write(stream, piece);
      if (next == bus_.size()) co_await changed_.wait();
    }
  }

  Task<> wait_stopped() {
    while (!stopped_) co_await changed_.wait();
  }

  static Task<> write(Stream& stream, std::string text) {
    co_await stream.write_all(bytes_of(text));
  }

  static std::string text_of(unsigned status, std::string body) {
    return text_of(Answer{.status = status, .body = std::move(body)});
  }
  static std::string text_of(const Answer& answer) {
    return "HTTP/1.1 " + std::to_string(answer.status) + " X\r\nTailscale-Version: 1.102.3\r\n" +
           answer.fields + "Content-Length: " + std::to_string(answer.body.size()) + "\r\n\r\n" +
           answer.body;
  }

  World& world_;
  SimulatedHost& host_;
  const std::string path_;
  bool stopped_ = true;
  std::unique_ptr<Listener> listener_;
  std::list<Stream*> streams_;
  std::string bus_;
  std::size_t cuts_ = 0;
  Event changed_;
  TaskGroup group_;
};

}  // namespace sidestream::tailnet
