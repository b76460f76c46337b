#include "streams/tls_session.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

namespace sidestream {

// A BIO of our own saves the copies that OpenSSL's memory BIO makes of everything that comes in.
struct TlsSession::Wire {
  Bytes input;
  bool input_ended = false;
  std::vector<std::uint8_t> output;

  static int read(BIO* bio, char* into, std::size_t size, std::size_t* count) {
    auto& wire = *static_cast<Wire*>(BIO_get_data(bio));
    BIO_clear_retry_flags(bio);
    *count = std::min(size, wire.input.size());
    if (*count > 0) {
      std::memcpy(into, wire.input.data(), *count);
      wire.input = wire.input.subspan(*count);
      return 1;
    }
    if (!wire.input_ended) BIO_set_retry_read(bio);
    return 0;
  }
  static int write(BIO* bio, const char* from, std::size_t size, std::size_t* count) {
    auto& wire = *static_cast<Wire*>(BIO_get_data(bio));
    BIO_clear_retry_flags(bio);
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(from);
    wire.output.insert(wire.output.end(), bytes, bytes + size);
    *count = size;
    return 1;
  }
  static long control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

  static const BIO_METHOD* method() {
    static BIO_METHOD* const made = [] {
      BIO_METHOD* one = BIO_meth_new(BIO_TYPE_SOURCE_SINK | BIO_get_new_index(), "sidestream");
      if (one == nullptr) throw std::bad_alloc();
      BIO_meth_set_read_ex(one, &Wire::read);
      BIO_meth_set_write_ex(one, &Wire::write);
      BIO_meth_set_ctrl(one, &Wire::control);
      return one;
    }();
    return made;
  }
};

namespace {

constexpr std::size_t record_bytes = SSL3_RT_MAX_PLAIN_LENGTH;
// Header, explicit nonce, tag and padding of a record, generously.
constexpr std::size_t record_overhead = 64;

std::string reason_of_failure() {
  // The first error is the cause, the others are where it was met.
  const unsigned long code = ERR_peek_error();
  const char* reason = ERR_reason_error_string(code);
  std::string text = reason != nullptr ? reason : "the connection broke";
  const bool is_refusal =
      ERR_GET_LIB(code) == ERR_LIB_SSL && ERR_GET_REASON(code) == SSL_R_CERTIFICATE_VERIFY_FAILED;
  if (is_refusal) text.clear();
  ERR_clear_error();
  return text;
}

}  // namespace

TlsSession::TlsSession(SslOwner ssl) : wire_(std::make_unique<Wire>()), ssl_(std::move(ssl)) {
  BIO* bio = BIO_new(Wire::method());
  if (bio == nullptr) throw std::bad_alloc();
  BIO_set_data(bio, wire_.get());
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_.get(), bio, bio);
}

TlsSession::~TlsSession() = default;

void TlsSession::feed(Bytes received) {
  wire_->input = received;
}

bool TlsSession::has_input() const {
  return !wire_->input.empty();
}

void TlsSession::feed_end() {
  wire_->input_ended = true;
}

TlsSession::Readable TlsSession::fail() {
  if (!problem_.empty()) return Readable::failed;
  problem_ = reason_of_failure();
  if (problem_.empty()) {
    const long verdict = SSL_get_verify_result(ssl_.get());
    problem_ = "certificate refused: " + std::string(X509_verify_cert_error_string(verdict));
  }
  wire_->input = {};
  return Readable::failed;
}

TlsSession::Readable TlsSession::outcome(int result) {
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_NONE:
      return Readable::bytes;
    case SSL_ERROR_ZERO_RETURN:
      wire_->input = {};  // RFC 8446 section 6.1: what follows is ignored
      return Readable::end;
    case SSL_ERROR_WANT_READ:
      if (!wire_->input_ended) return Readable::need_more;
      break;
    default:
      break;
  }
  if (wire_->input_ended && wire_->input.empty() && problem_.empty()) {
    truncated_ = SSL_is_init_finished(ssl_.get()) == 1;
    problem_ =
        truncated_ ? "it ended without close_notify" : "it ended in the middle of the handshake";
  }
  return fail();
}

TlsSession::Progress TlsSession::handshake() {
  if (!problem_.empty()) return Progress::failed;
  ERR_clear_error();
  switch (outcome(SSL_do_handshake(ssl_.get()))) {
    case Readable::bytes:
      return Progress::done;
    case Readable::need_more:
      return Progress::need_more;
    case Readable::end:
      problem_ = "it ended in the middle of the handshake";
      break;
    case Readable::failed:
      break;
  }
  return Progress::failed;
}

TlsSession::Readable TlsSession::look() {
  if (!problem_.empty()) return Readable::failed;
  if (SSL_pending(ssl_.get()) > 0) return Readable::bytes;
  ERR_clear_error();
  std::uint8_t byte = 0;
  return outcome(SSL_peek(ssl_.get(), &byte, 1));
}

std::size_t TlsSession::read(MutableBytes into) {
  std::size_t taken = 0;
  while (taken < into.size() && problem_.empty()) {
    ERR_clear_error();
    std::size_t count = 0;
    const MutableBytes room = into.subspan(taken);
    const int result = SSL_read_ex(ssl_.get(), room.data(), room.size(), &count);
    if (result != 1) {
      // Now or never: asked again, OpenSSL calls a connection that broke one that ended in order.
      outcome(result);
      break;
    }
    taken += count;
    if (wire_->input.empty() && SSL_pending(ssl_.get()) == 0) break;
  }
  return taken;
}

bool TlsSession::write(Bytes from) {
  const std::size_t records = from.size() / record_bytes + 1;
  wire_->output.reserve(wire_->output.size() + from.size() + records * record_overhead);
  while (!from.empty() && problem_.empty()) {
    ERR_clear_error();
    std::size_t count = 0;
    if (SSL_write_ex(ssl_.get(), from.data(), std::min(from.size(), record_bytes), &count) != 1)
      fail();
    from = from.subspan(count);
  }
  return problem_.empty();
}

void TlsSession::close_write() {
  if (closed_write_ || !problem_.empty()) return;
  closed_write_ = true;
  ERR_clear_error();
  SSL_shutdown(ssl_.get());
  ERR_clear_error();
}

std::vector<std::uint8_t> TlsSession::poll_transmit() {
  return std::exchange(wire_->output, {});
}

bool TlsSession::has_output() const {
  return !wire_->output.empty();
}

std::string TlsSession::version() const {
  return SSL_get_version(ssl_.get());
}

bool TlsSession::resumed() const {
  return SSL_session_reused(ssl_.get()) == 1;
}

std::string TlsSession::alpn() const {
  const unsigned char* name = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(ssl_.get(), &name, &size);
  return {reinterpret_cast<const char*>(name), size};
}

std::string TlsSession::peer() const {
  X509* certificate = SSL_get0_peer_certificate(ssl_.get());
  if (certificate == nullptr) return {};
  const BioOwner writer = owned<BioOwner>(BIO_new(BIO_s_mem()));
  X509_NAME_print_ex(writer.get(), X509_get_subject_name(certificate), 0, XN_FLAG_RFC2253);
  char* text = nullptr;
  const long size = BIO_get_mem_data(writer.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}

}  // namespace sidestream
