#include "streams/client_hello.h"

#include <algorithm>
#include <utility>

#include "streams/ip_address.h"

namespace sidestream {
namespace {

// RFC 8446 sections 4 and 5.1.
constexpr std::uint8_t content_type_handshake = 22;
constexpr std::uint8_t version_major = 3;
constexpr std::size_t record_bytes_max = 1U << 14U;
constexpr std::uint8_t handshake_type_client_hello = 1;
constexpr std::size_t legacy_version_bytes = 2;
constexpr std::size_t random_bytes = 32;
constexpr std::size_t session_id_bytes_max = 32;
// RFC 6066 section 3, RFC 7301 section 3.1.
constexpr std::uint16_t extension_server_name = 0;
constexpr std::uint16_t extension_alpn = 16;
constexpr std::uint8_t name_type_host_name = 0;

}  // namespace

bool is_for_challenge(const ClientHello& hello) {
  return hello.alpn.size() == 1 && hello.alpn.front() == "acme-tls/1";
}

ClientHelloParser::Verdict ClientHelloParser::feed(Bytes bytes) {
  while (verdict_ == Verdict::need_more && !bytes.empty()) {
    if (record_bytes_left_ == 0) {
      feed_record_header(bytes.front());
      bytes = bytes.subspan(1);
      continue;
    }
    const std::size_t count = std::min({bytes.size(), record_bytes_left_, message_bytes_missing()});
    message_.insert(message_.end(), bytes.begin(), bytes.begin() + static_cast<long>(count));
    bytes = bytes.subspan(count);
    record_bytes_left_ -= count;
    if (message_bytes_ == 0) check_message_header();
    if (message_bytes_ != 0 && message_.size() == message_bytes_) parse_message();
  }
  return verdict_;
}

void ClientHelloParser::feed_record_header(std::uint8_t byte) {
  record_header_[record_header_used_++] = byte;
  const bool first = records_ == 0;
  const auto refuse = [&](std::string_view why) {
    if (first) {
      verdict_ = Verdict::not_tls;
    } else {
      fail(Verdict::malformed, why);
    }
  };
  switch (record_header_used_) {
    case 1:
      if (byte != content_type_handshake) refuse("another record between the ClientHello's");
      return;
    case 2:
      // The minor version means nothing in a first record (RFC 8446 section 5.1).
      if (byte != version_major) refuse("a record of an unknown version");
      return;
    case record_header_bytes:
      break;
    default:
      return;
  }
  record_header_used_ = 0;
  record_bytes_left_ = ByteReader(Bytes(record_header_).subspan(3)).u16();
  if (record_bytes_left_ == 0) {
    fail(Verdict::malformed, "an empty handshake record");
  } else if (record_bytes_left_ > record_bytes_max) {
    fail(Verdict::malformed, "a record of more than 16384 bytes");
  } else if (message_bytes_ != 0 && record_bytes_left_ > message_bytes_missing()) {
    fail(Verdict::malformed, "bytes after the ClientHello inside its last record");
  } else if (++records_ > limits_.records_max) {
    fail(Verdict::too_large, "a ClientHello in too many records");
  }
}

std::size_t ClientHelloParser::message_bytes_missing() const {
  return std::max(message_bytes_, message_header_bytes) - message_.size();
}

void ClientHelloParser::check_message_header() {
  if (message_.front() != handshake_type_client_hello) {
    fail(Verdict::malformed, "a handshake that does not begin with a ClientHello");
    return;
  }
  if (message_.size() < message_header_bytes) return;
  const std::size_t body_bytes = ByteReader(Bytes(message_).subspan(1)).u24();
  message_bytes_ = message_header_bytes + body_bytes;
  if (body_bytes > limits_.hello_bytes_max) {
    fail(Verdict::too_large, "a ClientHello of too many bytes");
  } else if (record_bytes_left_ > body_bytes) {
    fail(Verdict::malformed, "bytes after the ClientHello inside its last record");
  }
}

void ClientHelloParser::parse_message() {
  ByteReader reader(Bytes(message_).subspan(message_header_bytes));
  reader.skip(legacy_version_bytes + random_bytes);
  const std::size_t session_id_bytes = reader.u8();
  reader.skip(session_id_bytes);
  const std::size_t cipher_suite_bytes = reader.u16();
  reader.skip(cipher_suite_bytes);
  const std::size_t compression_bytes = reader.u8();
  reader.skip(compression_bytes);
  if (reader.failed() || session_id_bytes > session_id_bytes_max || cipher_suite_bytes == 0 ||
      cipher_suite_bytes % 2 != 0 || compression_bytes == 0) {
    fail(Verdict::malformed, "a ClientHello with a wrong length");
    return;
  }
  if (!reader.empty()) {  // before TLS 1.3 there may be no extensions at all
    const Bytes extensions = reader.take(reader.u16());
    if (reader.failed() || !reader.empty()) {
      fail(Verdict::malformed, "a ClientHello with a wrong length of extensions");
      return;
    }
    if (!parse_extensions(ByteReader(extensions))) return;
  }
  verdict_ = Verdict::hello;
  message_ = {};
}

bool ClientHelloParser::parse_extensions(ByteReader extensions) {
  bool had_server_name = false;
  bool had_alpn = false;
  while (!extensions.empty()) {
    const std::uint16_t type = extensions.u16();
    const Bytes extension = extensions.take(extensions.u16());
    if (extensions.failed()) return fail(Verdict::malformed, "an extension with a wrong length");
    if (type == extension_server_name) {
      if (std::exchange(had_server_name, true))
        return fail(Verdict::malformed, "two server name extensions");
      if (!parse_server_name(extension)) return false;
    } else if (type == extension_alpn) {
      if (std::exchange(had_alpn, true)) return fail(Verdict::malformed, "two ALPN extensions");
      if (!parse_alpn(extension)) return false;
    }
  }
  return true;
}

// One host_name and nothing else: the RFC forbids two of a type, and no other type was ever
// defined. TLS libraries read it so too.
bool ClientHelloParser::parse_server_name(Bytes extension) {
  ByteReader reader(extension);
  const std::size_t list_bytes = reader.u16();
  const bool whole_list = list_bytes == reader.size();
  const std::uint8_t type = reader.u8();
  const Bytes host_name = reader.take(reader.u16());
  if (reader.failed() || !whole_list || type != name_type_host_name || !reader.empty())
    return fail(Verdict::malformed, "a server name extension that is not one host name");

  auto name = ServerName::parse(text_of(host_name));
  if (name) {
    hello_.server_name = std::move(*name);
    return true;
  }
  const auto literal = IpAddress::parse(text_of(host_name));
  if (literal && literal->is_v6()) return true;
  return fail(Verdict::malformed, "a server name that no host can have");
}

bool ClientHelloParser::parse_alpn(Bytes extension) {
  ByteReader reader(extension);
  const std::size_t list_bytes = reader.u16();
  bool good = !reader.failed() && list_bytes == reader.size() && list_bytes != 0;
  while (good && !reader.empty()) {
    const Bytes protocol = reader.take(reader.u8());
    good = !reader.failed() && !protocol.empty();
    if (good && hello_.alpn.size() < limits_.alpn_max) hello_.alpn.emplace_back(text_of(protocol));
  }
  return good || fail(Verdict::malformed, "an ALPN extension with a wrong length");
}

bool ClientHelloParser::fail(Verdict verdict, std::string_view why) {
  verdict_ = verdict;
  why_ = why;
  hello_ = {};
  message_ = {};
  return false;
}

}  // namespace sidestream
