// A container engine at a Unix socket of a simulated host, with everything that can go wrong with
// one. It keeps what it was asked.
#pragma once

#include <gtest/gtest.h>

#include <list>
#include <map>
#include <string>
#include <vector>

#include "control/http_message.h"
#include "streams/event_io.h"
#include "streams/task_group_io.h"
#include "tests/support/simulated_world_io.h"

namespace sidestream::sidecar {

class FakeEngine {
 public:
  enum class Fault {
    none,
    garbage,     // no HTTP
    no_json,     // HTTP with something else
    giant,       // an answer without end
    silent,      // accepts and says nothing
    forbidden,   // as a proxy that allows too little
    late_events  // as Podman 4: the answer begins with the first event
  };
  struct Box {
    std::string labels = {};  // `"LABEL":"TEXT",…`
    std::string health = {};  // empty: it has none
    bool running = true;
    std::string address = "10.1.0.2";
  };

  FakeEngine(World& world, SimulatedHost& host, std::string path)
      : world_(world), host_(host), path_(std::move(path)), group_(world.loop().executor()) {}
  ~FakeEngine() {
    stop();
    world_.run(group_.stop());
  }

  void start() {
    stopped_ = false;
    listener_ = host_.network().listen_unix(path_, 0600);
    group_.spawn(accept_all(*listener_), ignore);
    world_.settle();
  }
  void stop() {
    stopped_ = true;
    if (listener_) listener_->close();
    for (Stream* stream : streams_) stream->abort();
    changed_.notify_all();
    world_.settle();
  }
  void emit(const std::string& action, const std::string& id) {
    events_.push_back(R"({"Type":"container","Action":")" + action + R"(","Actor":{"ID":")" + id +
                      "\"}}\n");
    changed_.notify_all();
  }
  void cut_events() {
    ++cuts_;
    changed_.notify_all();
  }

  Fault fault = Fault::none;
  std::string api_version = "1.41";
  unsigned api_minimum = 12;          // 1.x, as Docker 29 refuses those below 1.44
  std::map<std::string, Box> boxes;   // by ID, which is the name too
  std::vector<std::string> requests;  // `GET /_ping`

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
    requests.push_back(request.method + " " + request.target);
    if (fault == Fault::silent) co_return co_await wait_stopped();
    if (fault == Fault::garbage) co_return co_await write(stream, "SSH-2.0-OpenSSH_9.2\r\n\r\n");
    if (fault == Fault::giant) co_return co_await write_forever(stream);
    if (fault == Fault::forbidden && request.target != "/_ping")
      co_return co_await write(stream, response(403, "<html>Forbidden</html>"));
    if (request.target == "/_ping") co_return co_await write(stream, response(200, "OK"));
    std::string target = request.target;
    if (target.starts_with("/v1.")) {
      const unsigned minor = static_cast<unsigned>(std::stoul(target.substr(4)));
      if (minor < api_minimum)
        co_return co_await write(stream,
                                 response(400, R"({"message":"client version is too old"})"));
      target.erase(0, target.find('/', 1));
    }
    if (fault == Fault::no_json) co_return co_await write(stream, response(200, "<html></html>"));
    if (target.starts_with("/events")) co_return co_await tell_events(stream);
    if (target == "/containers/json") co_return co_await write(stream, chunked(list()));
    co_await write(stream, described(target));
  }

  Task<> tell_events(Stream& stream) {
    const std::string head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    std::size_t next = events_.size();
    const std::size_t cuts = cuts_;
    bool begun = fault != Fault::late_events;
    if (begun) co_await write(stream, head);
    while (!stopped_ && cuts_ == cuts) {
      while (next < events_.size()) {
        const std::string event = events_[next++];
        std::array<char, 20> size{};
        std::snprintf(size.data(), size.size(), "%zx\r\n", event.size());
        std::string text = begun ? "" : head;
        text.append(size.data()).append(event).append("\r\n");
        co_await write(stream, std::move(text));
        begun = true;
      }
      co_await changed_.wait();
    }
  }

  Task<> wait_stopped() {
    while (!stopped_) co_await changed_.wait();
  }

  Task<> write_forever(Stream& stream) {
    co_await write(stream, "HTTP/1.1 200 OK\r\n\r\n[");
    const std::string piece(256UL * 1024, ' ');
    while (!stopped_) co_await write(stream, piece);
  }

  static Task<> write(Stream& stream, std::string text) {
    co_await stream.write_all(bytes_of(text));
  }

  [[nodiscard]] std::string response(unsigned status, const std::string& body) const {
    return "HTTP/1.1 " + std::to_string(status) + " X\r\nApi-Version: " + api_version +
           "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  }
  // As Go's server does with what is longer than its buffer.
  static std::string chunked(const std::string& body) {
    std::array<char, 20> size{};
    std::snprintf(size.data(), size.size(), "%zx\r\n", body.size());
    return std::string("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n") + size.data() +
           body + "\r\n0\r\n\r\n";
  }

  [[nodiscard]] std::string list() const {
    std::string text = "[";
    for (const auto& [id, box] : boxes)
      if (box.running)
        text += std::string(text.size() > 1 ? "," : "") + R"({"Id":")" + id + R"(","Labels":{)" +
                box.labels + "}}";
    return text + "]";
  }

  // `/containers/ID/json`
  [[nodiscard]] std::string described(const std::string& target) const {
    const std::size_t begin = std::string("/containers/").size();
    const std::string id = target.substr(begin, target.rfind('/') - begin);
    const auto found = boxes.find(id);
    if (found == boxes.end()) return response(404, R"({"message":"No such container"})");
    const Box& box = found->second;
    const std::string health =
        box.health.empty() ? "" : R"(,"Health":{"Status":")" + box.health + "\"}";
    return response(200, R"({"Id":")" + id + R"(","Name":"/)" + id + R"(","State":{"Running":)" +
                             (box.running ? "true" : "false") + health +
                             R"(},"HostConfig":{"NetworkMode":"bridge"},"NetworkSettings":)"
                             R"({"Networks":{"bridge":{"IPAddress":")" +
                             box.address + R"("}}},"Config":{"Labels":{)" + box.labels + "}}}");
  }

  World& world_;
  SimulatedHost& host_;
  const std::string path_;
  bool stopped_ = true;
  std::unique_ptr<Listener> listener_;
  std::list<Stream*> streams_;
  std::vector<std::string> events_;
  std::size_t cuts_ = 0;
  Event changed_;
  TaskGroup group_;
};

}  // namespace sidestream::sidecar
