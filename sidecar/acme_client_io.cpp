#include "sidecar/acme_client_io.h"

#include <algorithm>
#include <utility>

#include "control/http_download.h"
#include "control/version.h"
#include "sidecar/acme_dns_hook_io.h"
#include "sidecar/backend_io.h"
#include "streams/base64.h"
#include "streams/deadline_io.h"
#include "streams/tls_request.h"

namespace sidestream::sidecar {
namespace {

using control::HttpRequest;
using control::HttpResponse;

constexpr Duration request_timeout = 30s;
// A sidecar with many services is one client to the authority, and a polite one.
constexpr std::size_t orders_at_once_max = 4;

control::HttpLimits http_limits() {
  control::HttpLimits limits;
  limits.body_bytes_max = AcmeLimits::body_bytes_max;
  return limits;
}

Task<HttpResponse> read_response(Stream& stream) {
  control::HttpDownload download(http_limits());
  std::vector<std::uint8_t> buffer(16UL * 1024);
  control::HttpProgress progress = control::HttpProgress::need_more;
  while (progress == control::HttpProgress::need_more) {
    const std::size_t count = co_await stream.read_some(buffer);
    progress = count == 0 ? download.feed_end() : download.feed(Bytes(buffer).first(count));
  }
  if (progress == control::HttpProgress::failed)
    throw_error(make_error_code(boost::system::errc::bad_message), "acme");
  HttpResponse response;
  response.status = download.status();
  response.fields = download.fields();
  response.body = download.take();
  co_return response;
}

// One account for each authority.
std::string account_file(const std::string& directory, std::string_view kind) {
  constexpr std::size_t shown = 12;
  return "acme-account-" + serialize_base64url(sha256_of(directory)).substr(0, shown) +
         std::string(kind);
}

}  // namespace

std::string account_facts_file(const std::string& directory) {
  return account_file(directory, ".json");
}

// Of an order among those that run.
struct AcmeClient::Place {
  explicit Place(AcmeClient& client) : client_(client) { ++client_.orders_; }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  ~Place() {
    --client_.orders_;
    client_.order_over_.notify_all();
  }
  AcmeClient& client_;
};

AcmeClient::AcmeClient(Network& network, AcmeSettings settings, const StateFolder& state,
                       std::optional<std::string> authorities)
    : network_(network),
      settings_(std::move(settings)),
      state_(state),
      tls_(TlsClient::make({.authorities = std::move(authorities)})) {
  if (settings_.by_http) responder_ = std::make_unique<AcmeResponder>(network_);
}

std::expected<TlsAccountKey, std::string> AcmeClient::account_key() {
  const std::string file = account_file(settings_.directory, ".pem");
  auto kept = state_.read(file);
  if (!kept) return std::unexpected(kept.error());
  if (*kept) {
    const SecretText pem(std::move(**kept));
    auto key = TlsAccountKey::parse(pem.reveal());
    if (!key)
      return std::unexpected(state_.path_of(file) + ": " + key.error() +
                             "; put back a copy, or remove the file for a new account");
    return key;
  }
  TlsAccountKey key = TlsAccountKey::generate();
  if (auto written = state_.write(file, key.pem().reveal()); !written)
    return std::unexpected(written.error());
  return key;
}

// Nothing depends on it but what the doctor says.
void AcmeClient::keep(const AcmeAccountFacts& facts) const {
  if (facts.url.empty()) return;
  const std::string file = account_facts_file(settings_.directory);
  const std::string text = serialize(facts);
  const auto kept = state_.read(file);
  if (!kept || !*kept || **kept != text) (void)state_.write(file, text);
}

Task<HttpResponse> AcmeClient::exchange(std::string url, HttpRequest request,
                                        std::string& problem) {
  const auto where = parse_acme_url(url);
  if (!where) throw_error(asio::error::invalid_argument, "acme");
  BackendAddress address{.host_port = {where->host, where->port}, .unix_path = "", .tls = true};
  BackendOpening opening{.tls = &*tls_};
  std::unique_ptr<Stream> stream;
  std::exception_ptr failure;
  try {
    auto dialling = dial_backend(network_, std::move(address), request_timeout, &opening);
    stream = co_await std::move(dialling);
  } catch (...) {
    failure = std::current_exception();
  }
  problem = opening.problem;
  if (failure) std::rethrow_exception(failure);
  request.target = where->target;
  request.keep_alive = false;
  request.fields.push_back({"host", where->authority});
  request.fields.push_back({"user-agent", "sidestream/" + std::string(control::program_version())});
  const std::string text = serialize(request);
  co_await stream->write_all(bytes_of(text));
  auto reading = read_response(*stream);
  co_return co_await std::move(reading);
}

Task<AcmeOrderDialogue::Event> AcmeClient::request(AcmeAction action) {
  using Event = AcmeOrderDialogue::Event;
  HttpRequest request;
  request.method = action.kind == AcmeAction::Kind::post ? "POST" : "GET";
  if (action.kind == AcmeAction::Kind::post)
    request.fields.push_back({"content-type", "application/jose+json"});
  request.body = std::move(action.body);
  Event event{.kind = Event::Kind::response};
  std::string problem;  // of TLS, which knows more than its error
  std::exception_ptr failure;
  try {
    auto exchanging = exchange(action.url, std::move(request), problem);
    event.response =
        co_await with_timeout(network_.timers(), request_timeout, std::move(exchanging));
  } catch (const system_error& error) {
    failure = std::current_exception();
    event = {.kind = Event::Kind::unreachable,
             .response = {},
             .why = problem.empty() ? error.code().message() : problem};
  }
  const auto state = co_await asio::this_coro::cancellation_state;
  if (failure && state.cancelled() != asio::cancellation_type::none)
    std::rethrow_exception(failure);
  co_return event;
}

AcmeOrderWish AcmeClient::wish() const {
  AcmeOrderWish wish;
  wish.directory = settings_.directory;
  wish.email = settings_.email;
  wish.binding = settings_.binding;
  wish.profile = settings_.profile;
  if (proves_by_dns()) wish.challenge = "dns-01";
  if (responder_) wish.challenge = "http-01";
  return wish;
}

Task<AcmeOrderDialogue::Event> AcmeClient::show_by_dns(Showing& showing) {
  AcmeOrderDialogue::Event event;
  AcmeDnsHook hook(network_, *settings_.dns_hook);
  for (const AcmeChallenge& one : showing.shown) {
    const auto done = co_await hook.present(one);
    if (done) continue;
    event = {
        .kind = AcmeOrderDialogue::Event::Kind::not_shown, .response = {}, .why = done.error()};
    break;
  }
  co_return event;
}

// What is left over does no harm.
Task<> AcmeClient::clean_up(const Showing& showing) {
  if (!proves_by_dns()) co_return;
  AcmeDnsHook hook(network_, *settings_.dns_hook);
  for (const AcmeChallenge& one : showing.shown) (void)co_await hook.clean_up(one);
}

Task<AcmeAction> AcmeClient::carry_out(AcmeOrderDialogue& dialogue, AcmeAction action,
                                       Showing& showing) {
  switch (action.kind) {
    case AcmeAction::Kind::get:
    case AcmeAction::Kind::post:
      co_return dialogue.resume(co_await request(std::move(action)));
    case AcmeAction::Kind::show:
      showing.shown = action.challenges;
      if (responder_) responder_->show(showing.shown);
      if (proves_by_dns()) {
        auto asking = show_by_dns(showing);
        co_return dialogue.resume(co_await std::move(asking));
      }
      showing.show(action.challenges);
      break;
    case AcmeAction::Kind::wait:
      co_await network_.timers().sleep_for(action.wait);
      break;
    case AcmeAction::Kind::done:
    case AcmeAction::Kind::failed:
      co_return action;
  }
  co_return dialogue.resume({});
}

Task<std::expected<AcmeCertificate, AcmeFailure>> AcmeClient::obtain(std::vector<std::string> names,
                                                                     std::string replaces,
                                                                     ShowChallenges show) {
  if (!tls_) co_return std::unexpected(AcmeFailure{.why = "acme.ca: " + tls_.error()});
  while (orders_ >= orders_at_once_max) co_await order_over_.wait();
  const Place place(*this);
  const auto account = account_key();
  if (!account) co_return std::unexpected(AcmeFailure{.why = account.error()});
  const TlsRequest wanted = make_certificate_request(names);
  AcmeOrderWish wish = this->wish();
  wish.names = std::move(names);
  wish.replaces = std::move(replaces);
  AcmeOrderDialogue dialogue(std::move(wish), *account, wanted.der);
  AcmeAction action = dialogue.resume({});
  Showing showing{show, {}};
  std::exception_ptr failure;
  try {
    while (action.kind != AcmeAction::Kind::done && action.kind != AcmeAction::Kind::failed)
      action = co_await carry_out(dialogue, std::move(action), showing);
    co_await clean_up(showing);
  } catch (...) {
    failure = std::current_exception();
  }
  show({});
  if (responder_) responder_->hide(showing.shown);
  keep(dialogue.account());
  if (failure) std::rethrow_exception(failure);
  if (action.kind == AcmeAction::Kind::failed) co_return std::unexpected(action.failure);
  // What cannot be used must not be kept.
  if (const auto pair = TlsCertificate::parse(action.body, wanted.key.reveal()); !pair)
    co_return std::unexpected(AcmeFailure{.why = "the authority's chain: " + pair.error()});
  std::string pem;
  pem.reserve(action.body.size() + wanted.key.reveal().size());  // one copy of the key, to be wiped
  pem.append(action.body).append(wanted.key.reveal());
  co_return AcmeCertificate{.pem = SecretText(std::move(pem)),
                            .account_url = dialogue.account_url()};
}

Task<AcmeClient::RenewalAnswer> AcmeClient::ask_renewal(std::string renewal_name) {
  RenewalAnswer answer;
  if (!tls_ || renewal_name.empty()) co_return answer;
  // Each question by itself: the compiler destroys twice what is made within an awaited call.
  AcmeAction ask_directory{.kind = AcmeAction::Kind::get, .url = settings_.directory};
  auto finding = request(std::move(ask_directory));
  const auto found = co_await std::move(finding);
  const auto directory = parse_directory(found.response.body);
  if (!directory || directory->renewal_url.empty()) co_return answer;
  AcmeAction ask_window{.kind = AcmeAction::Kind::get,
                        .url = directory->renewal_url + '/' + renewal_name};
  auto telling = request(std::move(ask_window));
  const auto told = co_await std::move(telling);
  constexpr unsigned good = 200;
  if (told.kind != AcmeOrderDialogue::Event::Kind::response || told.response.status != good)
    co_return answer;
  answer.ask_again = retry_after_of(told.response);
  if (const auto window = parse_renewal(told.response.body)) answer.window = *window;
  co_return answer;
}

}  // namespace sidestream::sidecar
