// What must hold for the bytes of a document before a YAML parser may see them.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "streams/yaml_document.h"

namespace sidestream {

// The first of: too long, NUL or another control character, not UTF-8, a tab in an indentation.
[[nodiscard]] std::optional<YamlProblem> find_text_problem(std::string_view text,
                                                           std::size_t bytes_max);

// Where the byte at `offset` stands.
[[nodiscard]] Mark mark_at(std::string_view text, std::size_t offset);
// The other way round; the end of the text for a mark beyond it.
[[nodiscard]] std::size_t offset_of(std::string_view text, const Mark& mark);

// The bytes of the UTF-8 sequence that `text` begins with; 0 when it begins with none (RFC 3629:
// no overlong forms, no surrogates, nothing above U+10FFFF).
[[nodiscard]] std::size_t utf8_sequence_bytes(std::string_view text);

}  // namespace sidestream
