#include "sidecar/service_tls_io.h"

#include <algorithm>
#include <utility>

#include "streams/close_io.h"
#include "streams/deadline_io.h"
#include "streams/join_io.h"
#include "streams/message_text.h"
#include "streams/postgres_greeting_io.h"
#include "streams/prefixed_stream_io.h"
#include "streams/quantity.h"
#include "streams/tls_self_signed.h"

namespace sidestream::sidecar {
namespace {

bool same(const std::vector<TlsCertificate>& left, const std::vector<TlsCertificate>& right) {
  return std::ranges::equal(
      left, right, {}, [](const auto& one) { return one.facts().sha256; },
      [](const auto& one) { return one.facts().sha256; });
}

// A session of one service opens none of another.
std::string session_context_of(const std::string& service) {
  constexpr std::size_t bytes_max = 32;
  return service.substr(0, bytes_max);
}

}  // namespace

std::string self_signed_file(const std::string& name) {
  std::string file = "self-signed-" + name + ".pem";
  std::ranges::replace(file, '*', '_');
  return file;
}

std::vector<std::string> certificate_names(const ServiceConfiguration& service) {
  std::vector<std::string> names;
  for (const control::Endpoint& endpoint : service.publish)
    if (endpoint.name && std::ranges::find(names, endpoint.name->text()) == names.end())
      names.push_back(endpoint.name->text());
  if (names.empty()) names.push_back(service.name);
  return names;
}

ServiceTls::ServiceTls(Network& network, const ServiceConfiguration& configuration,
                       CertificateStore store, std::function<void(const ServiceTls&)> on_change)
    : network_(network),
      configuration_(configuration),
      store_(std::move(store)),
      on_change_(std::move(on_change)),
      ticket_keys_(network.random()),
      keys_made_(network.timers().now()),
      server_({.alpn = configuration.tls_settings.alpn,
               .session_context = session_context_of(configuration.name)},
              ticket_keys_) {
  if (configuration.tls_settings.certificate.kind != CertificateSource::Kind::acme ||
      store_.acme == nullptr || store_.state == nullptr)
    return;
  acme_ = std::make_unique<ServiceAcme>(
      network_, *store_.acme, *store_.state, server_, certificate_names(configuration_),
      store_.acme_directory,
      ServiceAcme::Callbacks{.reachable = [this] { return store_.published(configuration_); },
                             .obtained = store_.obtained,
                             .changed = [this] { look(); }});
}

std::string_view ServiceTls::source() const {
  switch (configuration_.tls_settings.certificate.kind) {
    case CertificateSource::Kind::acme:
      return "acme";
    case CertificateSource::Kind::self_signed:
      return "self-signed";
    case CertificateSource::Kind::files:
      return "files";
  }
  return "";
}

// ---- where certificates come from --------------------------------------------------------------

ServiceTls::Loaded ServiceTls::load() {
  switch (configuration_.tls_settings.certificate.kind) {
    case CertificateSource::Kind::acme:
      return load_acme();
    case CertificateSource::Kind::self_signed:
      return ready() ? Loaded(std::vector<TlsCertificate>{}) : load_self_signed();
    case CertificateSource::Kind::files:
      return load_files();
  }
  return Loaded(std::vector<TlsCertificate>{});
}

ServiceTls::Loaded ServiceTls::load_files() {
  const CertificateSource& source = configuration_.tls_settings.certificate;
  auto chain = store_.read_file(source.chain);
  if (!chain) return std::unexpected(chain.error());
  auto read = store_.read_secret_file(source.key);
  if (!read) return std::unexpected(read.error());
  const SecretText key(std::move(*read));
  auto certificate = TlsCertificate::parse(*chain, key.reveal());
  if (!certificate)
    return std::unexpected(printable(source.chain, 500) + ": " + certificate.error());
  std::vector<TlsCertificate> all;
  all.push_back(std::move(*certificate));
  return all;
}

// One for each name, so that a name that comes or goes leaves the others as clients have pinned
// them.
ServiceTls::Loaded ServiceTls::load_self_signed() {
  std::vector<TlsCertificate> all;
  for (const std::string& name : certificate_names(configuration_)) {
    auto certificate = self_signed_for(name);
    if (!certificate) return std::unexpected(certificate.error());
    all.push_back(std::move(*certificate));
  }
  return all;
}

std::expected<TlsCertificate, std::string> ServiceTls::self_signed_for(const std::string& name) {
  if (store_.state == nullptr)
    return std::unexpected(
        "a self-signed certificate is kept in the state folder, which cannot be used; set `state` "
        "to a folder that this user may write to");
  const std::string file = self_signed_file(name);
  auto kept = store_.state->read(file);
  if (!kept) return std::unexpected(kept.error());
  SecretText pem;
  if (*kept) {
    pem = SecretText(std::move(**kept));
  } else {
    std::array<std::uint8_t, 16> serial{};
    network_.random().fill(serial);
    pem = make_self_signed(name, network_.timers().wall_now(), serial);
    // Nobody may see what a restart would not know.
    if (const auto written = store_.state->write(file, pem.reveal()); !written)
      return std::unexpected(written.error());
  }
  auto certificate = TlsCertificate::parse(pem.reveal(), pem.reveal());
  if (!certificate)
    return std::unexpected(store_.state->path_of(file) + ": " + certificate.error() +
                           "; put back a copy, or remove the file for a new certificate, which "
                           "clients that pinned the old one refuse");
  return certificate;
}

ServiceTls::Loaded ServiceTls::load_acme() {
  if (!acme_)
    return std::unexpected(
        "a certificate of an authority is kept in the state folder, which cannot be used; set "
        "`state` to a folder that this user may write to");
  auto kept = acme_->load();
  if (!kept) return std::unexpected(kept.error());
  std::vector<TlsCertificate> all;
  if (*kept) all.push_back(std::move(**kept));
  return all;
}

std::expected<void, std::string> ServiceTls::load_authorities() {
  const std::string& path = configuration_.tls_settings.client_ca;
  if (path.empty()) return {};
  auto content = store_.read_file(path);
  if (!content) return std::unexpected(content.error());
  if (*content == authorities_) return {};
  if (auto taken = server_.require_client_certificates(*content); !taken)
    return std::unexpected(printable(path, 500) + ": " + taken.error());
  // Sessions that the old authorities have let in must not be resumed.
  ticket_keys_.replace_all(network_.random());
  authorities_ = std::move(*content);
  return {};
}

// ---- keeping them ------------------------------------------------------------------------------

// Without the authorities nobody may be let in.
std::expected<void, std::string> ServiceTls::take(Loaded loaded) {
  if (auto known = load_authorities(); !known) return std::unexpected(known.error());
  if (!loaded) return std::unexpected(loaded.error());
  if (loaded->empty() || same(*loaded, server_.certificates())) return {};
  server_.set_certificates(std::move(*loaded));
  return {};
}

void ServiceTls::look() {
  const bool was_ready = ready();
  const auto before =
      was_ready ? certificates().front().facts().sha256 : std::array<std::uint8_t, 32>{};
  const auto taken = take(load());
  std::string problem = problem_;
  // Chain and key are two files: between the writing of one and the other they do not match.
  if (taken)
    problem = acme_ && !acme_->problem().empty() ? acme_->problem() : shortcoming();
  else if (!was_ready || failure_ == taken.error())
    problem = taken.error();
  failure_ = taken ? "" : taken.error();
  const bool changed = ready() && before != certificates().front().facts().sha256;
  if (!changed && problem == problem_) return;
  problem_ = std::move(problem);
  if (on_change_) on_change_(*this);
}

// What clients would dislike about certificates that can be used.
std::string ServiceTls::shortcoming() const {
  if (!ready()) return {};
  const WallTime now = network_.timers().wall_now();
  for (const TlsCertificate& one : certificates()) {
    const TlsCertificateFacts& facts = one.facts();
    if (now >= facts.not_after) return "expired on " + minute_text(facts.not_after);
    if (now < facts.not_before) return "not valid before " + minute_text(facts.not_before);
    // What is renewed by itself tells of itself when that fails.
    if (!acme_ && now >= facts.not_after - limits_.warn_before_end)
      return "expires on " + minute_text(facts.not_after);
  }
  for (const control::Endpoint& endpoint : configuration_.publish) {
    const bool covered =
        !endpoint.name || std::ranges::any_of(certificates(), [&](const TlsCertificate& one) {
          return one.covers(*endpoint.name);
        });
    if (!covered)
      return "not for " + endpoint.name->text() + "; clients of " + endpoint.text() +
             " will refuse it";
  }
  return {};
}

void ServiceTls::rotate_ticket_keys() {
  const Instant now = network_.timers().now();
  if (now - keys_made_ < ticket_keys_.limits().rotate_every) return;
  keys_made_ = now;
  ticket_keys_.rotate(network_.random());
}

void ServiceTls::hurry() {
  look();
  if (acme_) acme_->hurry();
}

Task<> ServiceTls::keep_fresh() {
  look();
  if (acme_)
    co_await both(look_again_and_again(), acme_->run());
  else
    co_await look_again_and_again();
}

Task<> ServiceTls::look_again_and_again() {
  for (;;) {
    look();
    rotate_ticket_keys();
    co_await network_.timers().sleep_for(failure_.empty() ? limits_.look_every
                                                          : limits_.look_again);
  }
}

// ---- clients -----------------------------------------------------------------------------------

namespace {

std::unique_ptr<Stream> with_prefix(std::vector<std::uint8_t> prefix,
                                    std::unique_ptr<Stream> stream) {
  if (prefix.empty()) return stream;
  return std::make_unique<PrefixedStream>(std::move(prefix), std::move(stream));
}

}  // namespace

Task<std::expected<std::unique_ptr<TlsStream>, std::string>> ServiceTls::accept(
    std::unique_ptr<Stream> transport) {
  const Instant deadline = network_.timers().now() + limits_.handshake;
  std::unique_ptr<TlsStream> stream;
  std::string why;
  std::exception_ptr failure;
  try {
    Task<PostgresGreeting> greeting = greet_postgres(*transport);
    PostgresGreeting greeted =
        co_await with_deadline(network_.timers(), deadline, std::move(greeting));
    if (greeted.kind == PostgresGreeting::Kind::premature) {
      why = "bytes came between a request for TLS and its answer";
      throw_error(make_error_code(boost::system::errc::bad_message), "client");
    }
    stream = std::make_unique<TlsStream>(
        with_prefix(std::move(greeted.bytes), std::move(transport)), server_.accept());
    co_await with_deadline(network_.timers(), deadline, stream->handshake());
  } catch (...) {
    failure = std::current_exception();
  }
  if (!failure) co_return stream;
  if (stream) why = stream->problem();
  const auto state = co_await asio::this_coro::cancellation_state;
  if (state.cancelled() != asio::cancellation_type::none) std::rethrow_exception(failure);
  if (!stream)
    transport->abort();
  else if (code_of(failure) == boost::system::errc::protocol_error)
    co_await close_in_order(network_.timers(), stream->transport());
  else
    stream->abort();
  if (why.empty()) why = code_of(failure).message();
  co_return std::unexpected(std::move(why));
}

}  // namespace sidestream::sidecar
