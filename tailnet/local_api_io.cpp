#include "tailnet/local_api_io.h"

#include <utility>

#include "streams/deadline_io.h"
#include "tailnet/local_api_requests.h"

namespace sidestream::tailnet {
namespace {

constexpr unsigned http_good = 200;
constexpr unsigned http_not_found = 404;

Task<control::HttpResponse> fetch_from(LocalApi& api, control::HttpRequest request) {
  const auto stream = co_await api.connect();
  control::HttpLimits limits;
  limits.body_bytes_max = LocalApiLimits::answer_bytes_max;
  co_return co_await control::fetch(*stream, std::move(request), limits);
}

std::string not_asked(const error_code& error) {
  return "the Tailscale daemon cannot be asked: " + error.message();
}

}  // namespace

bool is_absence(const error_code& error) {
  return error == boost::system::errc::no_such_file_or_directory;
}

LocalApi::LocalApi(Network& network, std::vector<std::string> places, const LocalApiTiming& timing)
    : network_(network), places_(std::move(places)), timing_(timing), socket_(places_.front()) {}

Task<std::unique_ptr<Stream>> LocalApi::connect() {
  error_code failure = make_error_code(boost::system::errc::no_such_file_or_directory);
  for (const std::string& place : places_) {
    try {
      auto stream = co_await network_.connect_unix(place, timing_.connect);
      socket_ = place;
      co_return stream;
    } catch (const system_error& error) {
      if (error.code() == asio::error::operation_aborted) throw;
      // A socket that nobody serves says more than a place where there is none.
      if (is_absence(failure)) failure = error.code();
    }
  }
  throw_error(failure, "connecting to the Tailscale daemon");
}

Task<control::HttpResponse> LocalApi::ask(control::HttpRequest request) {
  return ask(std::move(request), timing_.answer);
}

Task<control::HttpResponse> LocalApi::ask(control::HttpRequest request, Duration timeout) {
  co_return co_await with_timeout(network_.timers(), timeout,
                                  fetch_from(*this, std::move(request)));
}

Task<control::HttpResponse> LocalApi::ask_whois(SocketAddress remote) {
  control::HttpResponse answer = co_await ask(whois_request(remote));
  for (const Duration wait : timing_.whois_again) {
    if (answer.status != http_not_found) break;
    co_await network_.timers().sleep_for(wait);
    answer = co_await ask(whois_request(remote));
  }
  co_return answer;
}

Task<std::expected<Identity, std::string>> LocalApi::who_is(SocketAddress remote) {
  try {
    const control::HttpResponse answer = co_await ask_whois(remote);
    if (answer.status == http_not_found)
      co_return std::unexpected(remote.text() + " is nobody of the tailnet");
    if (answer.status != http_good)
      co_return std::unexpected("the Tailscale daemon answers " + std::to_string(answer.status) +
                                " to whois: " + error_text(answer.body));
    auto identity = parse_identity(answer.body);
    if (!identity) co_return std::unexpected("the answer to whois " + identity.error());
    co_return std::move(*identity);
  } catch (const system_error& error) {
    if (error.code() == asio::error::operation_aborted) throw;
    co_return std::unexpected(not_asked(error.code()));
  }
}

Task<std::expected<PeerPath, std::string>> LocalApi::ping(IpAddress peer) {
  try {
    const control::HttpResponse answer = co_await ask(ping_request(peer));
    if (answer.status != http_good)
      co_return std::unexpected("the Tailscale daemon answers " + std::to_string(answer.status) +
                                " to ping: " + error_text(answer.body));
    auto path = parse_ping(answer.body);
    if (!path) co_return std::unexpected("the answer to ping " + path.error());
    if (!path->error.empty()) co_return std::unexpected(path->error);
    co_return std::move(*path);
  } catch (const system_error& error) {
    if (error.code() == asio::error::operation_aborted) throw;
    co_return std::unexpected(not_asked(error.code()));
  }
}

}  // namespace sidestream::tailnet
