#include "control/http_server_io.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "control/json.h"
#include "streams/deadline_io.h"
#include "streams/join_io.h"
#include "streams/secret.h"

namespace sidestream::control {
namespace {

constexpr std::size_t read_bytes = 8 * 1024;
// What is read and thrown away of a peer that still sends after its last response.
constexpr std::size_t drain_bytes_max = 1024 * 1024;

}  // namespace

HttpResponse error_response(unsigned status, std::string_view error, std::string_view sentence) {
  HttpResponse response;
  response.status = status;
  response.fields = {{"content-type", "application/json"}};
  response.body = serialize_json(JsonObject{{"error", error}, {"sentence", sentence}});
  return response;
}

HttpServer::HttpServer(asio::any_io_executor executor, Timers& timers, Listener& listener,
                       HttpService& service, const HttpServerLimits& limits)
    : timers_(timers),
      listener_(listener),
      service_(service),
      limits_(limits),
      tasks_(std::move(executor)) {}

Task<> HttpServer::run() {
  Task<> stop = tasks_.stop();
  co_await with_cleanup(accept_loop(), std::move(stop));
}

Task<> HttpServer::accept_loop() {
  for (;;) {
    std::unique_ptr<Stream> stream;
    try {
      stream = co_await listener_.accept();
    } catch (const system_error& error) {
      if (error.code() == asio::error::operation_aborted) throw;
    }
    if (stream == nullptr) {
      co_await timers_.sleep_for(limits_.accept_pause);
      continue;
    }
    const SocketAddress client = stream->remote_address();
    if (!make_room(client)) {
      stream->abort();
      continue;
    }
    const Place place =
        connections_.insert(connections_.end(), {.stream = std::move(stream), .client = client});
    tasks_.spawn(serve(place), [](const std::exception_ptr&) {});
  }
}

bool HttpServer::make_room(const SocketAddress& client) {
  const auto is_theirs = [&client](const Connection& connection) {
    return connection.client.address == client.address;
  };
  const auto theirs = std::ranges::count_if(connections_, is_theirs);
  if (static_cast<std::size_t>(theirs) >= limits_.connections_per_address) {
    // Its task wakes, finds it broken and takes it out.
    std::ranges::find_if(connections_, is_theirs)->stream->abort();
  }
  if (connections_.size() < limits_.connections_max) return true;
  if (!limits_.oldest_makes_room) return false;
  const auto oldest = std::ranges::find_if(
      connections_, [](const Connection& one) { return !one.busy && !one.ended; });
  if (oldest == connections_.end()) return false;
  oldest->ended = true;
  oldest->stream->abort();
  return true;
}

Task<> HttpServer::serve(Place place) {
  try {
    co_await converse(*place);
  } catch (...) {
    // Broken, silent for too long or cancelled: there is nobody left to tell.
    place->stream->abort();
  }
  connections_.erase(place);
}

Task<> HttpServer::converse(Connection& connection) {
  Stream& stream = *connection.stream;
  std::string pending;  // bytes of the next request that came with this one
  for (bool keep_alive = true; keep_alive;) {
    HttpRequestParser parser(limits_.message);
    if (pending.empty()) {
      connection.busy = false;
      co_await with_timeout(timers_, limits_.idle_timeout, stream.wait_readable());
    }
    co_await with_timeout(timers_, limits_.request_timeout, read_request(stream, parser, pending));
    if (!parser.begun()) co_return co_await drain(stream);
    connection.busy = true;
    HttpResponse response;
    if (const std::optional<HttpError> error = parser.failure()) {
      ++rejected_;
      response = error_response(status_of(*error), "bad_message",
                                "the request cannot be read: " + std::string(explain(*error)));
      response.keep_alive = false;
    } else {
      HttpRequest request = parser.take();
      keep_alive = request.keep_alive;
      response = co_await answer(std::move(request), connection.client);
    }
    keep_alive = keep_alive && response.keep_alive;
    response.keep_alive = keep_alive;
    std::string text = serialize(response);
    co_await with_timeout(timers_, limits_.response_timeout, stream.write_all(bytes_of(text)));
    // It may hold a ticket.
    wipe(MutableBytes(reinterpret_cast<std::uint8_t*>(text.data()), text.size()));
    wipe(MutableBytes(reinterpret_cast<std::uint8_t*>(response.body.data()), response.body.size()));
  }
  co_await drain(stream);
}

// Returns when the request is complete or hopeless, or when the peer ended before its first byte.
Task<> HttpServer::read_request(Stream& stream, HttpRequestParser& parser, std::string& pending) {
  std::array<std::uint8_t, read_bytes> buffer{};
  for (;;) {
    Bytes bytes = bytes_of(pending);
    if (pending.empty()) {
      const std::size_t count = co_await stream.read_some(buffer);
      bytes = Bytes(buffer).first(count);
      if (count == 0 && parser.begun()) throw_error(asio::error::eof, "reading a request");
      if (count == 0) co_return;
    }
    const HttpFramer::Fed fed = parser.feed(bytes);
    pending = std::string(text_of(bytes.subspan(fed.consumed)));
    if (fed.progress != HttpProgress::need_more) co_return;
  }
}

Task<HttpResponse> HttpServer::answer(HttpRequest request, SocketAddress client) {
  try {
    co_return co_await service_.respond(std::move(request), client);
  } catch (const system_error& error) {
    if (error.code() == asio::error::operation_aborted) throw;
  } catch (const std::exception&) {
    // As below: what went wrong is for the service to log.
  }
  co_return error_response(500, "other", "the request could not be carried out; see the log");
}

// Ends our direction and waits a little for the peer to end its own: closing with bytes unread
// would reset the connection and could take the last response with it.
Task<> HttpServer::drain(Stream& stream) {
  const Instant deadline = timers_.now() + limits_.linger_timeout;
  co_await with_deadline(timers_, deadline, stream.close_write());
  std::array<std::uint8_t, read_bytes> buffer{};
  for (std::size_t drained = 0; drained < drain_bytes_max;) {
    const std::size_t count =
        co_await with_deadline(timers_, deadline, stream.read_some(MutableBytes(buffer)));
    if (count == 0) co_return;
    drained += count;
  }
  stream.abort();
}

}  // namespace sidestream::control
