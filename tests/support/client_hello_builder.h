// ClientHellos for tests, right ones and wrong ones, and their cutting into records.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "streams/bytes.h"

namespace sidestream {

using ByteVector = std::vector<std::uint8_t>;

inline void append_u16(ByteVector& to, std::size_t value) {
  to.push_back(static_cast<std::uint8_t>(value >> 8U));
  to.push_back(static_cast<std::uint8_t>(value));
}
inline void append(ByteVector& to, Bytes bytes) {
  to.insert(to.end(), bytes.begin(), bytes.end());
}
inline void append(ByteVector& to, std::string_view text) {
  append(to, bytes_of(text));
}
inline ByteVector concatenate(const ByteVector& left, const ByteVector& right) {
  ByteVector both = left;
  append(both, Bytes(right));
  return both;
}

struct HelloExtension {
  std::uint16_t type;
  ByteVector body;
};

// The server name extension with any list of (type, name).
inline HelloExtension server_name_extension(
    const std::vector<std::pair<std::uint8_t, std::string>>& names) {
  ByteVector list;
  for (const auto& [type, name] : names) {
    list.push_back(type);
    append_u16(list, name.size());
    append(list, name);
  }
  HelloExtension extension{.type = 0, .body = {}};
  append_u16(extension.body, list.size());
  append(extension.body, Bytes(list));
  return extension;
}
inline HelloExtension server_name_extension(const std::string& name) {
  return server_name_extension({{std::uint8_t{0}, name}});
}

inline HelloExtension alpn_extension(const std::vector<std::string>& protocols) {
  ByteVector list;
  for (const std::string& protocol : protocols) {
    list.push_back(static_cast<std::uint8_t>(protocol.size()));
    append(list, protocol);
  }
  HelloExtension extension{.type = 16, .body = {}};
  append_u16(extension.body, list.size());
  append(extension.body, Bytes(list));
  return extension;
}

struct HelloParts {
  std::uint16_t version = 0x0303;
  std::size_t session_id_bytes = 32;
  std::vector<std::uint16_t> cipher_suites{0x1301, 0xc02b, 0xc02f};
  ByteVector compression{0};
  std::vector<HelloExtension> extensions{};
  bool extension_block = true;
};

// The handshake message, without records.
inline ByteVector serialize_hello(const HelloParts& parts) {
  ByteVector body;
  append_u16(body, parts.version);
  body.insert(body.end(), 32, 0x5a);
  body.push_back(static_cast<std::uint8_t>(parts.session_id_bytes));
  body.insert(body.end(), parts.session_id_bytes, 0x1d);
  append_u16(body, 2 * parts.cipher_suites.size());
  for (const std::uint16_t suite : parts.cipher_suites) append_u16(body, suite);
  body.push_back(static_cast<std::uint8_t>(parts.compression.size()));
  append(body, Bytes(parts.compression));
  if (parts.extension_block) {
    ByteVector block;
    for (const HelloExtension& extension : parts.extensions) {
      append_u16(block, extension.type);
      append_u16(block, extension.body.size());
      append(block, Bytes(extension.body));
    }
    append_u16(body, block.size());
    append(body, Bytes(block));
  }
  ByteVector message{1, static_cast<std::uint8_t>(body.size() >> 16U)};
  append_u16(message, body.size());
  append(message, Bytes(body));
  return message;
}

inline ByteVector tls_record(Bytes body, std::uint16_t version = 0x0301, std::uint8_t type = 22) {
  ByteVector record{type};
  append_u16(record, version);
  append_u16(record, body.size());
  append(record, body);
  return record;
}

// Cuts a message into records of `record_bytes` each, the last one shorter.
inline ByteVector tls_records(const ByteVector& message, std::size_t record_bytes = 16384,
                              std::uint16_t version = 0x0301) {
  ByteVector stream;
  for (Bytes rest(message); !rest.empty();) {
    const std::size_t count = rest.size() < record_bytes ? rest.size() : record_bytes;
    append(stream, Bytes(tls_record(rest.first(count), version)));
    rest = rest.subspan(count);
  }
  return stream;
}

// What an ordinary client sends for a name; none: no server name extension.
inline ByteVector client_hello_for(const std::optional<std::string>& name,
                                   const std::vector<std::string>& alpn = {"h2", "http/1.1"}) {
  HelloParts parts;
  if (name) parts.extensions.push_back(server_name_extension(*name));
  if (!alpn.empty()) parts.extensions.push_back(alpn_extension(alpn));
  return tls_records(serialize_hello(parts));
}

}  // namespace sidestream
