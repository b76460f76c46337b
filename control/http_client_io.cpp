#include "control/http_client_io.h"

#include <array>
#include <utility>

#include "streams/asio_io.h"

namespace sidestream::control {
namespace {

constexpr std::size_t read_bytes = 8 * 1024;

}  // namespace

Task<HttpResponse> exchange(Stream& stream, HttpRequest request, HttpLimits limits) {
  const std::string text = serialize(request);
  co_await stream.write_all(bytes_of(text));
  HttpResponseParser parser(limits);
  std::array<std::uint8_t, read_bytes> buffer{};
  for (;;) {
    const std::size_t count = co_await stream.read_some(buffer);
    if (count == 0) throw_error(asio::error::eof, "reading a response");
    const HttpFramer::Fed fed = parser.feed(Bytes(buffer).first(count));
    const bool surplus = fed.consumed < count;
    if (fed.progress == HttpProgress::failed || surplus) {
      const auto code = make_error_code(boost::system::errc::bad_message);
      throw_error(code, "reading a response");
    }
    if (fed.progress == HttpProgress::done) co_return parser.take();
  }
}

Task<HttpResponse> fetch(Stream& stream, HttpRequest request, HttpLimits limits) {
  HttpReading reading(stream, limits);
  co_await reading.begin(std::move(request));
  HttpResponse response;
  response.status = reading.status();
  response.fields = reading.fields();
  response.keep_alive = false;
  for (;;) {
    const std::string piece = co_await reading.read_some();
    if (piece.empty()) co_return response;
    if (piece.size() > limits.body_bytes_max - response.body.size())
      throw_error(make_error_code(boost::system::errc::message_size), "reading a response");
    response.body += piece;
  }
}

Task<> HttpReading::begin(HttpRequest request) {
  const std::string text = serialize(request);
  co_await stream_.write_all(bytes_of(text));
  while (!download_.has_head()) co_await read_more();
}

Task<std::string> HttpReading::read_some() {
  for (;;) {
    std::string piece = download_.take();
    if (!piece.empty() || progress_ == HttpProgress::done) co_return piece;
    co_await read_more();
  }
}

Task<> HttpReading::read_more() {
  std::array<std::uint8_t, read_bytes> buffer{};
  const std::size_t count = co_await stream_.read_some(buffer);
  progress_ = count == 0 ? download_.feed_end() : download_.feed(Bytes(buffer).first(count));
  if (progress_ != HttpProgress::failed) co_return;
  if (!download_.failure()) throw_error(asio::error::eof, "reading a response");
  throw_error(make_error_code(boost::system::errc::bad_message), "reading a response");
}

}  // namespace sidestream::control
