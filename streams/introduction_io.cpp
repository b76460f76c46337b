#include "streams/introduction_io.h"

#include <array>
#include <utility>
#include <vector>

#include "streams/close_io.h"
#include "streams/deadline_io.h"
#include "streams/prefixed_stream_io.h"
#include "streams/proxy_header_parser.h"

namespace sidestream {
namespace {

constexpr std::size_t read_bytes = 2048;

// Reads until the parser is done; what it did not consume goes into `rest`.
Task<> feed_header(Stream& stream, ProxyHeaderParser& parser, std::vector<std::uint8_t>& rest) {
  std::array<std::uint8_t, read_bytes> buffer{};
  while (parser.verdict() == ProxyHeaderParser::Verdict::need_more) {
    const std::size_t count = co_await stream.read_some(buffer);
    if (count == 0) co_return;
    const Bytes received = Bytes(buffer).first(count);
    const Bytes left = received.subspan(parser.feed(received).consumed);
    rest.assign(left.begin(), left.end());
  }
}

Task<> feed_hello(Stream& stream, ClientHelloParser& parser, std::vector<std::uint8_t>& seen) {
  std::array<std::uint8_t, read_bytes> buffer{};
  while (parser.verdict() == ClientHelloParser::Verdict::need_more) {
    const std::size_t count = co_await stream.read_some(buffer);
    if (count == 0) co_return;
    const Bytes received = Bytes(buffer).first(count);
    seen.insert(seen.end(), received.begin(), received.end());
    parser.feed(received);
  }
}

std::string why_refused(const ProxyHeaderParser& parser, bool read) {
  using Verdict = ProxyHeaderParser::Verdict;
  if (parser.verdict() == Verdict::need_more) {
    if (!parser.begun()) return "";
    return read ? "its PROXY header is cut off" : "its PROXY header did not come in time";
  }
  if (parser.verdict() == Verdict::not_proxy)
    return "it has no PROXY header; the router must send one (HAProxy: send-proxy-v2)";
  return "its PROXY header is wrong: " + std::string(parser.why());
}

// Runs `reading` with a limit; false when it was late or the stream broke.
Task<bool> in_time(Network& network, Duration timeout, Task<> reading) {
  try {
    co_await with_timeout(network.timers(), timeout, std::move(reading));
  } catch (const system_error& error) {
    if (error.code() == asio::error::operation_aborted) throw;
    co_return false;
  }
  co_return true;
}

}  // namespace

Task<std::expected<Introduction, std::string>> read_introduction(Network& network,
                                                                 std::unique_ptr<Stream> stream,
                                                                 IntroductionLimits limits) {
  ProxyHeaderLimits header_limits;
  header_limits.mixed_families_in_v1 = true;  // from NGINX, which may be the one that is trusted
  ProxyHeaderParser parser(header_limits);
  std::vector<std::uint8_t> rest;
  Task<> reading = feed_header(*stream, parser, rest);
  const bool read = co_await in_time(network, limits.timeout, std::move(reading));
  if (!read || parser.verdict() != ProxyHeaderParser::Verdict::header) {
    stream->abort();
    co_return std::unexpected(why_refused(parser, read));
  }
  if (parser.header().command == ProxyHeader::Command::local) {
    co_await close_in_order(network.timers(), *stream);
    co_return std::unexpected(std::string());
  }
  Introduction introduction;
  introduction.header = parser.header();
  introduction.stream = std::move(stream);
  if (!rest.empty())
    introduction.stream =
        std::make_unique<PrefixedStream>(std::move(rest), std::move(introduction.stream));
  co_return std::expected<Introduction, std::string>(std::move(introduction));
}

Task<std::optional<ClientHello>> peek_client_hello(Network& network, Introduction& introduction,
                                                   IntroductionLimits limits) {
  ClientHelloParser parser;
  std::vector<std::uint8_t> seen;
  Task<> reading = feed_hello(*introduction.stream, parser, seen);
  const bool read = co_await in_time(network, limits.timeout, std::move(reading));
  if (!read || parser.verdict() != ClientHelloParser::Verdict::hello) co_return std::nullopt;
  introduction.stream =
      std::make_unique<PrefixedStream>(std::move(seen), std::move(introduction.stream));
  co_return parser.hello();
}

}  // namespace sidestream
