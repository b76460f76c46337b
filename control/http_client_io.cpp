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

}  // namespace sidestream::control
