// JSON texts (RFC 8259) as values, read with limits. The one door to the JSON library.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace sidestream::control {

class Json;
using JsonArray = std::vector<Json>;

// Members in the order in which they were written; no name twice.
class JsonObject {
 public:
  JsonObject() = default;
  JsonObject(std::initializer_list<std::pair<std::string, Json>> members);

  // nullptr when there is no such member.
  [[nodiscard]] const Json* find(std::string_view name) const;
  // The caller sees to it that the name is new.
  void add(std::string name, Json value);
  [[nodiscard]] const std::vector<std::pair<std::string, Json>>& members() const {
    return members_;
  }
  bool operator==(const JsonObject&) const;

 private:
  std::vector<std::pair<std::string, Json>> members_;
};

// One value. A whole number that fits is an integer: signed when it is negative, else unsigned.
class Json {
 public:
  using Value = std::variant<std::nullptr_t, bool, std::int64_t, std::uint64_t, double, std::string,
                             JsonArray, JsonObject>;

  Json() : value_(nullptr) {}
  Json(std::nullptr_t) : value_(nullptr) {}
  Json(bool value) : value_(value) {}
  Json(int value) : Json(static_cast<std::int64_t>(value)) {}
  Json(unsigned value) : Json(static_cast<std::uint64_t>(value)) {}
  Json(std::int64_t value) {
    if (value < 0) {
      value_ = value;
    } else {
      value_ = static_cast<std::uint64_t>(value);
    }
  }
  Json(std::uint64_t value) : value_(value) {}
  Json(double value) : value_(value) {}
  Json(const char* value) : value_(std::string(value)) {}
  Json(std::string_view value) : value_(std::string(value)) {}
  Json(std::string value) : value_(std::move(value)) {}
  Json(JsonArray value) : value_(std::move(value)) {}
  Json(JsonObject value) : value_(std::move(value)) {}

  [[nodiscard]] const Value& value() const { return value_; }
  // nullptr when the value is of another kind.
  [[nodiscard]] const bool* boolean() const { return std::get_if<bool>(&value_); }
  [[nodiscard]] const std::uint64_t* unsigned_number() const {
    return std::get_if<std::uint64_t>(&value_);
  }
  [[nodiscard]] const std::string* text() const { return std::get_if<std::string>(&value_); }
  [[nodiscard]] const JsonArray* array() const { return std::get_if<JsonArray>(&value_); }
  [[nodiscard]] const JsonObject* object() const { return std::get_if<JsonObject>(&value_); }
  [[nodiscard]] bool is_null() const { return std::holds_alternative<std::nullptr_t>(value_); }

  bool operator==(const Json&) const = default;

 private:
  Value value_;
};

struct JsonLimits {
  std::size_t bytes_max = 256 * 1024;
  std::size_t depth_max = 16;
  std::size_t values_max = 20'000;  // of all kinds, at all depths
  std::size_t members_max = 64;     // of one object
};

struct JsonError {
  std::size_t offset = 0;  // in bytes, where reading stopped
  std::string what;        // one sentence without the place
};

// Exactly one JSON text, with white space around it at most. Refuses what RFC 8259 leaves open:
// a name twice in one object, bytes that are not UTF-8.
[[nodiscard]] std::expected<Json, JsonError> parse_json(std::string_view text,
                                                        const JsonLimits& limits = {});
// Without white space.
[[nodiscard]] std::string serialize_json(const Json& value);

}  // namespace sidestream::control
