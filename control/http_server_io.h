// Serves HTTP/1.1 on any listener: the control protocol inside the tunnel, the admin socket on the
// host. Requests of one connection are answered one after the other; every wait and every buffer
// is bounded, so a slow, silent or endless peer costs no more than one connection.
#pragma once

#include <list>
#include <memory>
#include <string>

#include "control/http_message.h"
#include "streams/stream_io.h"
#include "streams/task_group_io.h"
#include "streams/timer_io.h"

namespace sidestream::control {

struct HttpServerLimits {
  HttpLimits message;
  std::size_t connections_max = 1024;
  // What happens when there are so many: the one that has said nothing for the longest time is
  // ended, or the new one.
  bool oldest_makes_room = false;
  // Of one address; one more ends its oldest one, so that a peer which lost its connections without
  // a word gets in again.
  std::size_t connections_per_address = 4;
  Duration request_timeout = 5s;   // from a request's first byte to its last
  Duration response_timeout = 5s;  // until the stream has taken it over
  Duration idle_timeout = 60s;     // before the first byte of the next request
  Duration linger_timeout = 1s;    // for the peer to read the last response before a reset
  Duration accept_pause = 100ms;   // after an accept that failed (descriptors, memory)
};

// What answers requests.
class HttpService {
 public:
  HttpService() = default;
  HttpService(const HttpService&) = delete;
  HttpService& operator=(const HttpService&) = delete;
  virtual ~HttpService() = default;

  // `client` is the remote address of the stream. An exception becomes an answer with status 500.
  virtual Task<HttpResponse> respond(HttpRequest request, SocketAddress client) = 0;
};

class HttpServer {
 public:
  // All arguments but the limits outlive it.
  HttpServer(asio::any_io_executor executor, Timers& timers, Listener& listener,
             HttpService& service, const HttpServerLimits& limits = {});

  // Accepts and serves until it is cancelled; every connection has ended when it returns.
  Task<> run();

  [[nodiscard]] std::size_t connections() const { return connections_.size(); }
  // Requests that were no HTTP, too large or too slow.
  [[nodiscard]] std::uint64_t rejected() const { return rejected_; }

 private:
  struct Connection {
    std::unique_ptr<Stream> stream;
    SocketAddress client;
    bool busy = false;   // with a request
    bool ended = false;  // aborted to make room; its task has not noticed yet
  };
  using Place = std::list<Connection>::iterator;

  Task<> accept_loop();
  bool make_room(const SocketAddress& client);
  Task<> serve(Place place);
  Task<> converse(Connection& connection);
  Task<> read_request(Stream& stream, HttpRequestParser& parser, std::string& pending);
  Task<HttpResponse> answer(HttpRequest request, SocketAddress client);
  Task<> drain(Stream& stream);

  Timers& timers_;
  Listener& listener_;
  HttpService& service_;
  HttpServerLimits limits_;
  std::uint64_t rejected_ = 0;
  std::list<Connection> connections_;  // oldest first
  TaskGroup tasks_;
};

// A JSON answer in the form of a control refusal: {"error": …, "sentence": …}.
[[nodiscard]] HttpResponse error_response(unsigned status, std::string_view error,
                                          std::string_view sentence);

}  // namespace sidestream::control
