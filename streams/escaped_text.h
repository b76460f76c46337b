// Text from outside (server names, paths, messages of peers) made fit for a log line, a terminal or
// JSON. The result is always printable ASCII: no control characters, no line ends, no sequences
// that a terminal obeys, no letters that look like others or turn the writing direction.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace sidestream {

// What a value may take in a line; the rest is cut off and its size said.
constexpr std::size_t escaped_bytes_max = 512;

// For text that stands between double quotes: `"`, `\` and everything outside printable ASCII as
// `\"`, `\\`, `\n`, `\r`, `\t` or `\xNN`.
[[nodiscard]] std::string escaped_text(std::string_view untrusted,
                                       std::size_t bytes_max = escaped_bytes_max);

// As it is when it is a plain word (letters, digits, `._:/@+,*%#[]-`), else quoted and escaped.
[[nodiscard]] std::string word_or_quoted(std::string_view untrusted,
                                         std::size_t bytes_max = escaped_bytes_max);

// A JSON string with its quotes (RFC 8259 section 7). UTF-8 becomes \uXXXX; what is no UTF-8
// becomes U+FFFD.
[[nodiscard]] std::string json_string(std::string_view untrusted,
                                      std::size_t bytes_max = escaped_bytes_max);

}  // namespace sidestream
