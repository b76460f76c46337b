#include "control/json.h"

#include <algorithm>
#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <charconv>
#include <cmath>
#include <optional>

namespace sidestream::control {

JsonObject::JsonObject(std::initializer_list<std::pair<std::string, Json>> members)
    : members_(members) {}

const Json* JsonObject::find(std::string_view name) const {
  const auto found = std::ranges::find(
      members_, name, [](const auto& member) -> std::string_view { return member.first; });
  return found == members_.end() ? nullptr : &found->second;
}

void JsonObject::add(std::string name, Json value) {
  members_.emplace_back(std::move(name), std::move(value));
}

bool JsonObject::operator==(const JsonObject&) const = default;

namespace {

namespace json = boost::json;

// Builds our values from the parser's events; `true` means go on.
class Builder {
 public:
  static constexpr std::size_t max_object_size = std::size_t(-1);
  static constexpr std::size_t max_array_size = std::size_t(-1);
  static constexpr std::size_t max_key_size = std::size_t(-1);
  static constexpr std::size_t max_string_size = std::size_t(-1);

  explicit Builder(const JsonLimits& limits) : limits_(limits) {}

  std::string problem;  // of ours; empty when the parser found it
  Json take() { return std::move(root_); }

  bool on_document_begin(json::error_code&) { return true; }
  bool on_document_end(json::error_code&) { return true; }
  bool on_object_begin(json::error_code& error) { return open(error, JsonObject()); }
  bool on_object_end(std::size_t, json::error_code& error) { return close(error); }
  bool on_array_begin(json::error_code& error) { return open(error, JsonArray()); }
  bool on_array_end(std::size_t, json::error_code& error) { return close(error); }
  bool on_key_part(json::string_view part, std::size_t, json::error_code&) {
    text_.append(part);
    return true;
  }
  bool on_key(json::string_view part, std::size_t, json::error_code& error) {
    text_.append(part);
    const auto& members = std::get<JsonObject>(open_.back().container);
    if (members.members().size() == limits_.members_max) {
      return refuse(error, "an object has too many members");
    }
    if (members.find(text_) != nullptr) return refuse(error, "an object has a name twice");
    open_.back().name = std::exchange(text_, {});
    return true;
  }
  bool on_string_part(json::string_view part, std::size_t, json::error_code&) {
    text_.append(part);
    return true;
  }
  bool on_string(json::string_view part, std::size_t, json::error_code& error) {
    text_.append(part);
    return put(error, std::exchange(text_, {}));
  }
  bool on_number_part(json::string_view part, json::error_code&) {
    text_.append(part);
    return true;
  }
  bool on_int64(std::int64_t value, json::string_view, json::error_code& error) {
    text_.clear();
    return put(error, value);
  }
  bool on_uint64(std::uint64_t value, json::string_view, json::error_code& error) {
    text_.clear();
    return put(error, value);
  }
  // The parser's value can be the neighbour of the nearest one: before Boost 1.84 it has no other.
  bool on_double(double value, json::string_view part, json::error_code& error) {
    text_.append(part);
    const std::string text = std::exchange(text_, {});
    const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
    if (read.ec == std::errc::result_out_of_range) {
      if (std::abs(value) > 1) return refuse(error, "a number is too large");
      value = 0;
    }
    return put(error, value);
  }
  bool on_bool(bool value, json::error_code& error) { return put(error, value); }
  bool on_null(json::error_code& error) { return put(error, nullptr); }
  bool on_comment_part(json::string_view, json::error_code&) { return true; }
  bool on_comment(json::string_view, json::error_code&) { return true; }

 private:
  struct Open {
    std::variant<JsonObject, JsonArray> container;
    std::string name;  // of the member whose value comes next
  };

  bool refuse(json::error_code& error, std::string what) {
    problem = std::move(what);
    error = json::error::array_too_large;
    return false;
  }
  template <typename Container>
  bool open(json::error_code& error, Container container) {
    if (open_.size() == limits_.depth_max) return refuse(error, "it is nested too deeply");
    open_.push_back({std::move(container), {}});
    return true;
  }
  bool close(json::error_code& error) {
    Open closed = std::move(open_.back());
    open_.pop_back();
    if (auto* object = std::get_if<JsonObject>(&closed.container)) {
      return put(error, std::move(*object));
    }
    return put(error, std::move(std::get<JsonArray>(closed.container)));
  }
  bool put(json::error_code& error, Json value) {
    if (++values_ > limits_.values_max) return refuse(error, "it has too many values");
    if (open_.empty()) {
      root_ = std::move(value);
    } else if (auto* object = std::get_if<JsonObject>(&open_.back().container)) {
      object->add(std::exchange(open_.back().name, {}), std::move(value));
    } else {
      std::get<JsonArray>(open_.back().container).push_back(std::move(value));
    }
    return true;
  }

  const JsonLimits& limits_;
  std::vector<Open> open_;
  std::string text_;
  std::size_t values_ = 0;
  Json root_;
};

void append_text(std::string& out, std::string_view text) {
  out += json::serialize(json::string_view(text.data(), text.size()));
}

void append(std::string& out, const Json& value);

struct Appender {
  std::string& out;

  void operator()(std::nullptr_t) const { out += "null"; }
  void operator()(bool value) const { out += value ? "true" : "false"; }
  void operator()(std::int64_t value) const { out += std::to_string(value); }
  void operator()(std::uint64_t value) const { out += std::to_string(value); }
  void operator()(double value) const { out += json::serialize(json::value(value)); }
  void operator()(const std::string& value) const { append_text(out, value); }
  void operator()(const JsonArray& values) const {
    out += '[';
    for (const Json& value : values) {
      if (&value != values.data()) out += ',';
      append(out, value);
    }
    out += ']';
  }
  void operator()(const JsonObject& object) const {
    out += '{';
    for (const auto& member : object.members()) {
      if (&member != object.members().data()) out += ',';
      append_text(out, member.first);
      out += ':';
      append(out, member.second);
    }
    out += '}';
  }
};

void append(std::string& out, const Json& value) {
  std::visit(Appender{out}, value.value());
}

}  // namespace

std::expected<Json, JsonError> parse_json(std::string_view text, const JsonLimits& limits) {
  if (text.size() > limits.bytes_max) return std::unexpected(JsonError{0, "it is too long"});
  json::parse_options options;
  options.max_depth = limits.depth_max + 1;  // so that it is the builder that says it
  json::basic_parser<Builder> parser(options, limits);
  json::error_code error;
  std::size_t used = parser.write_some(false, text.data(), text.size(), error);
  if (!error && used < text.size()) error = json::error::extra_data;
  if (error) {
    std::string what = std::move(parser.handler().problem);
    if (what.empty()) what = error.message();
    return std::unexpected(JsonError{used, std::move(what)});
  }
  return parser.handler().take();
}

std::string serialize_json(const Json& value) {
  std::string out;
  append(out, value);
  return out;
}

}  // namespace sidestream::control
