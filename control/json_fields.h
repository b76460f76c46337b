// Reads the members of one JSON object as a straight list, with one check at the end: the first
// problem stays, with the path to its place (`endpoints[3].port: …`), and later reads return empty
// values. Members that nobody asks for are ignored, so that a newer peer may add some.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "control/json.h"

namespace sidestream::control {

// The first problem of a whole message; empty while there is none.
using JsonProblem = std::string;

class JsonFields {
 public:
  // `value` and `problem` must outlive it. `path` is empty for the outermost object.
  JsonFields(const Json& value, std::string path, JsonProblem& problem);

  // Members that must be there. A text is at most `bytes_max` long and has no control characters,
  // so that it can be shown on a terminal.
  [[nodiscard]] std::string text(std::string_view name, std::size_t bytes_max);
  [[nodiscard]] std::uint64_t number(std::string_view name, std::uint64_t low, std::uint64_t high);
  [[nodiscard]] bool boolean(std::string_view name);
  [[nodiscard]] const JsonArray& array(std::string_view name, std::size_t elements_max);
  [[nodiscard]] JsonFields object(std::string_view name);
  // Whether there is such a member that is not null.
  [[nodiscard]] bool has(std::string_view name) const;

  // Members that may be missing or null.
  [[nodiscard]] std::optional<std::string> optional_text(std::string_view name,
                                                         std::size_t bytes_max);
  [[nodiscard]] std::optional<std::uint64_t> optional_number(std::string_view name,
                                                             std::uint64_t low, std::uint64_t high);
  [[nodiscard]] const JsonArray* optional_array(std::string_view name, std::size_t elements_max);

  // The element's fields; `array` is one of this object's.
  [[nodiscard]] JsonFields element(std::string_view array_name, const JsonArray& array,
                                   std::size_t index);
  // The same for a list of texts.
  [[nodiscard]] std::string element_text(std::string_view array_name, const JsonArray& array,
                                         std::size_t index, std::size_t bytes_max);
  // Notes a problem with a member's value, unless there is an earlier one.
  void refuse(std::string_view name, std::string_view what);

 private:
  [[nodiscard]] const Json* find(std::string_view name) const;
  [[nodiscard]] std::string checked_text(const Json* value, std::string_view name,
                                         std::size_t bytes_max);
  [[nodiscard]] bool is_missing(std::string_view name) const;
  [[nodiscard]] std::string path_of(std::string_view name) const;

  const JsonObject* object_ = nullptr;
  std::string path_;
  JsonProblem* problem_;
};

// No control characters, of ASCII or (as UTF-8) of ISO 8859-1.
[[nodiscard]] bool is_printable_text(std::string_view text);

// Reads one document that is an object with `read`. The error is one sentence with the place: a
// byte, or the path of a member.
template <typename Message>
std::expected<Message, std::string> read_json(std::string_view text, const JsonLimits& limits,
                                              Message (*read)(JsonFields&)) {
  const auto json = parse_json(text, limits);
  if (!json) {
    return std::unexpected("byte " + std::to_string(json.error().offset) + ": " +
                           json.error().what);
  }
  JsonProblem problem;
  JsonFields fields(*json, "", problem);
  Message message = read(fields);
  if (!problem.empty()) return std::unexpected(std::move(problem));
  return message;
}

}  // namespace sidestream::control
