#include "tests/sidecar/fake_authority_io.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <array>
#include <cstdio>

#include "streams/base64.h"
#include "streams/tls_stream_io.h"
#include "tests/support/tls_pair.h"

namespace sidestream::sidecar {
namespace {

using control::HttpResponse;
using control::Json;
using control::JsonArray;
using control::JsonObject;

const std::string origin = "https://ca.test";

std::string decoded(const std::string& text) {
  return std::string(text_of(Bytes(*parse_base64url(text))));
}

std::string text_at(const Json& json, std::string_view name) {
  const Json* value = json.object() == nullptr ? nullptr : json.object()->find(name);
  return value != nullptr && value->text() != nullptr ? *value->text() : "";
}

HttpResponse problem(unsigned status, const std::string& type) {
  return {.status = status,
          .fields = {},
          .body = R"({"type":"urn:ietf:params:acme:error:)" + type + R"(","detail":"no"})"};
}

std::string time_text(WallTime time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(std::chrono::floor<std::chrono::seconds>(time - day));
  std::array<char, 40> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02dZ", int{date.year()},
                unsigned{date.month()}, unsigned{date.day()},
                static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()));
  return text.data();
}

long seconds_of(WallTime time) {
  return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
}

void add_authority(X509* leaf) {
  AUTHORITY_KEYID* id = AUTHORITY_KEYID_new();
  id->keyid = ASN1_OCTET_STRING_new();
  const std::array<unsigned char, 4> key{1, 2, 3, 4};
  ASN1_OCTET_STRING_set(id->keyid, key.data(), static_cast<int>(key.size()));
  X509_add1_ext_i2d(leaf, NID_authority_key_identifier, id, 0, X509V3_ADD_REPLACE);
  AUTHORITY_KEYID_free(id);
}

}  // namespace

FakeAuthority::FakeAuthority(World& world, SimulatedHost& host)
    : world_(world),
      host_(host),
      https_(self_signed_pem("ca.test")),
      ticket_keys_(world.random()),
      server_({}, ticket_keys_),
      group_(world.loop().executor()) {
  std::vector<TlsCertificate> certificates;
  certificates.push_back(certificate_of(https_));
  server_.set_certificates(std::move(certificates));
  world.set_name("ca.test", {host.addresses().front()});
  set_up(true);
}

FakeAuthority::~FakeAuthority() {
  set_up(false);
  world_.run(group_.stop());
}

void FakeAuthority::set_up(bool up) {
  if (up == up_) return;
  up_ = up;
  if (!up) return listeners_.back()->close();
  listeners_.push_back(host_.network().listen({host_.addresses().front(), 443}, {}));
  group_.spawn(accept_all(*listeners_.back()), [](const std::exception_ptr&) {});
}

Task<> FakeAuthority::accept_all(Listener& listener) {
  for (;;) {
    auto stream = co_await listener.accept();
    ++dials;
    group_.spawn(serve(std::move(stream)), [](const std::exception_ptr&) {});
  }
}

Task<> FakeAuthority::serve(std::unique_ptr<Stream> transport) {
  TlsStream stream(std::move(transport), server_.accept());
  co_await stream.handshake();
  co_await converse(stream);
  co_await stream.close_write();
}

Task<> FakeAuthority::converse(Stream& stream) {
  control::HttpRequestParser parser;
  std::array<std::uint8_t, 4096> buffer{};
  auto progress = control::HttpProgress::need_more;
  while (progress == control::HttpProgress::need_more) {
    const std::size_t count = co_await stream.read_some(buffer);
    if (count == 0) co_return;
    progress = parser.feed(Bytes(buffer).first(count)).progress;
  }
  HttpResponse response = respond(parser.take());
  const std::string nonce = "nonce" + std::to_string(++nonce_count_);
  nonces_.insert(nonce);
  response.fields.push_back({"replay-nonce", nonce});
  response.keep_alive = false;
  const std::string text = control::serialize(response);
  co_await stream.write_all(bytes_of(text));
}

// ---- what is asked -----------------------------------------------------------------------------

HttpResponse FakeAuthority::respond(const control::HttpRequest& request) {
  HttpResponse response;
  const std::string& path = request.target;
  if (path == "/directory") {
    response.body = directory_body();
  } else if (path.starts_with("/renewal/")) {
    ++renewal_questions;
    if (!window) return problem(404, "malformed");
    response.fields.push_back({"retry-after", "21600"});
    response.body = R"({"suggestedWindow":{"start":")" + time_text(window->start) + R"(","end":")" +
                    time_text(window->end) + "\"}}";
  } else if (path != "/nonce") {
    return respond_signed(path, *control::parse_json(request.body));
  }
  return response;
}

std::string FakeAuthority::directory_body() const {
  JsonObject known;
  for (const std::string& one : profiles) known.add(one, "https://ca.test/about");
  JsonObject all{{"newNonce", origin + "/nonce"},
                 {"newAccount", origin + "/account"},
                 {"newOrder", origin + "/order"},
                 {"meta", JsonObject{{"profiles", std::move(known)}}}};
  if (window) all.add("renewalInfo", origin + "/renewal");
  return serialize_json(std::move(all));
}

HttpResponse FakeAuthority::respond_signed(const std::string& path, const Json& envelope) {
  const Json header = *control::parse_json(decoded(text_at(envelope, "protected")));
  if (text_at(header, "url") != origin + path) return problem(403, "unauthorized");
  const bool known = nonces_.erase(text_at(header, "nonce")) == 1;
  if (!known || world_.random().below(100) < bad_nonces_percent) return problem(400, "badNonce");
  const std::string payload = decoded(text_at(envelope, "payload"));
  HttpResponse response;
  if (path == "/account") {
    response.status = 201;
    response.fields.push_back({"location", origin + "/account/1"});
    response.body = "{}";
    return response;
  }
  kids.insert(text_at(header, "kid"));
  if (path == "/order") return take_order(*control::parse_json(payload));
  if (path == "/order/1") return show_order(chain_.empty() ? "ready" : "valid");
  if (path.starts_with("/authorization/")) return show_authorization(path.substr(15));
  if (path.starts_with("/challenge/")) {
    const std::string name = path.substr(11);
    ++looks;
    verdicts_[name] = look(name) ? "valid" : "invalid";
    response.body = "{}";
  } else if (path == "/finalize") {
    chain_ = issue(*parse_base64url(text_at(*control::parse_json(payload), "csr")));
    return show_order("processing");
  } else {
    response.body = chain_;
  }
  return response;
}

HttpResponse FakeAuthority::take_order(const Json& payload) {
  Order order{.at = world_.now(),
              .names = {},
              .profile = text_at(payload, "profile"),
              .replaces = text_at(payload, "replaces")};
  for (const Json& one : *payload.object()->find("identifiers")->array())
    order.names.push_back(text_at(one, "value"));
  orders.push_back(std::move(order));
  if (retry_after) {
    HttpResponse refusal = problem(429, "rateLimited");
    refusal.fields.push_back({"retry-after", std::to_string(*retry_after)});
    return refusal;
  }
  chain_.clear();
  if (!remembers) verdicts_.clear();
  HttpResponse response = show_order("pending");
  response.status = 201;
  response.fields.push_back({"location", origin + "/order/1"});
  return response;
}

HttpResponse FakeAuthority::show_order(const std::string& status) {
  JsonArray authorizations;
  for (const std::string& name : orders.back().names)
    authorizations.emplace_back(origin + "/authorization/" + name);
  JsonObject order{{"status", status},
                   {"authorizations", std::move(authorizations)},
                   {"finalize", origin + "/finalize"}};
  if (status == "valid") order.add("certificate", origin + "/certificate");
  return {.status = 200, .fields = {}, .body = serialize_json(std::move(order))};
}

HttpResponse FakeAuthority::show_authorization(const std::string& name) {
  const std::string verdict = verdicts_.contains(name) ? verdicts_[name] : "pending";
  const std::string plain = name.starts_with("*.") ? name.substr(2) : name;
  JsonArray challenges;
  for (const char* type : {"tls-alpn-01", "dns-01"})
    challenges.emplace_back(JsonObject{
        {"type", type}, {"url", origin + "/challenge/" + name}, {"token", "token-of-" + name}});
  return {.status = 200,
          .fields = {},
          .body = serialize_json(
              JsonObject{{"status", verdict},
                         {"identifier", JsonObject{{"type", "dns"}, {"value", plain}}},
                         {"challenges", std::move(challenges)}})};
}

std::string FakeAuthority::issue(Bytes request) {
  const unsigned char* der = request.data();
  const X509RequestOwner wanted(d2i_X509_REQ(nullptr, &der, static_cast<long>(request.size())));
  const KeyOwner key = owned<KeyOwner>(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"));
  const X509Owner leaf = owned<X509Owner>(X509_new());
  X509_set_version(leaf.get(), X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(leaf.get()), static_cast<long>(200 + ++issued));
  const WallTime now = host_.network().timers().wall_now();
  ASN1_TIME_set(X509_getm_notBefore(leaf.get()), seconds_of(now));
  ASN1_TIME_set(X509_getm_notAfter(leaf.get()), seconds_of(now + life));
  const auto* authority = reinterpret_cast<const unsigned char*>("ca.test");
  X509_NAME_add_entry_by_txt(X509_get_issuer_name(leaf.get()), "CN", MBSTRING_UTF8, authority, -1,
                             -1, 0);
  X509_set_pubkey(leaf.get(), X509_REQ_get0_pubkey(wanted.get()));
  STACK_OF(X509_EXTENSION)* extensions = X509_REQ_get_extensions(wanted.get());
  X509_add_ext(leaf.get(), sk_X509_EXTENSION_value(extensions, 0), -1);
  sk_X509_EXTENSION_pop_free(extensions, &X509_EXTENSION_free);
  add_authority(leaf.get());
  X509_sign(leaf.get(), key.get(), EVP_sha256());
  const BioOwner writer = owned<BioOwner>(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(writer.get(), leaf.get());
  char* text = nullptr;
  const long size = BIO_get_mem_data(writer.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}

}  // namespace sidestream::sidecar
