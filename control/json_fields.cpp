#include "control/json_fields.h"

#include <limits>

namespace sidestream::control {
namespace {

const JsonArray no_elements;

std::string range_text(std::uint64_t low, std::uint64_t high) {
  if (high == std::numeric_limits<std::uint64_t>::max()) {
    return low == 0 ? "expected a whole number, not negative"
                    : "expected a whole number from " + std::to_string(low);
  }
  return "expected a whole number from " + std::to_string(low) + " to " + std::to_string(high);
}

}  // namespace

JsonFields::JsonFields(const Json& value, std::string path, JsonProblem& problem)
    : object_(value.object()), path_(std::move(path)), problem_(&problem) {
  if (object_ == nullptr) refuse("", "expected an object");
}

std::string JsonFields::path_of(std::string_view name) const {
  if (path_.empty() || name.empty()) return path_ + std::string(name);
  return path_ + '.' + std::string(name);
}

void JsonFields::refuse(std::string_view name, std::string_view what) {
  if (!problem_->empty()) return;
  *problem_ = path_of(name);
  if (!problem_->empty()) *problem_ += ": ";
  *problem_ += what;
}

const Json* JsonFields::find(std::string_view name) const {
  return object_ == nullptr ? nullptr : object_->find(name);
}

bool JsonFields::is_missing(std::string_view name) const {
  const Json* value = find(name);
  return value == nullptr || value->is_null();
}

bool JsonFields::has(std::string_view name) const {
  return !is_missing(name);
}

std::string JsonFields::text(std::string_view name, std::size_t bytes_max) {
  return checked_text(find(name), name, bytes_max);
}

std::string JsonFields::checked_text(const Json* value, std::string_view name,
                                     std::size_t bytes_max) {
  const std::string* text = value == nullptr ? nullptr : value->text();
  if (text == nullptr) {
    refuse(name, "expected a text");
  } else if (text->size() > bytes_max) {
    refuse(name, "expected at most " + std::to_string(bytes_max) + " bytes");
  } else if (!is_printable_text(*text)) {
    refuse(name, "expected a text without control characters");
  } else {
    return *text;
  }
  return {};
}

std::uint64_t JsonFields::number(std::string_view name, std::uint64_t low, std::uint64_t high) {
  const Json* value = find(name);
  const std::uint64_t* number = value == nullptr ? nullptr : value->unsigned_number();
  if (number != nullptr && *number >= low && *number <= high) return *number;
  refuse(name, range_text(low, high));
  return low;
}

bool JsonFields::boolean(std::string_view name) {
  const Json* value = find(name);
  const bool* boolean = value == nullptr ? nullptr : value->boolean();
  if (boolean != nullptr) return *boolean;
  refuse(name, "expected true or false");
  return false;
}

const JsonArray& JsonFields::array(std::string_view name, std::size_t elements_max) {
  const Json* value = find(name);
  const JsonArray* array = value == nullptr ? nullptr : value->array();
  if (array != nullptr && array->size() <= elements_max) return *array;
  refuse(name, array == nullptr ? "expected a list"
                                : "expected at most " + std::to_string(elements_max) + " elements");
  return no_elements;
}

JsonFields JsonFields::object(std::string_view name) {
  static const Json missing;
  const Json* value = find(name);
  return JsonFields(value == nullptr ? missing : *value, path_of(name), *problem_);
}

std::optional<std::string> JsonFields::optional_text(std::string_view name, std::size_t bytes_max) {
  if (is_missing(name)) return std::nullopt;
  return text(name, bytes_max);
}

std::optional<std::uint64_t> JsonFields::optional_number(std::string_view name, std::uint64_t low,
                                                         std::uint64_t high) {
  if (is_missing(name)) return std::nullopt;
  return number(name, low, high);
}

const JsonArray* JsonFields::optional_array(std::string_view name, std::size_t elements_max) {
  return is_missing(name) ? nullptr : &array(name, elements_max);
}

JsonFields JsonFields::element(std::string_view array_name, const JsonArray& array,
                               std::size_t index) {
  return JsonFields(array[index], path_of(array_name) + '[' + std::to_string(index) + ']',
                    *problem_);
}

std::string JsonFields::element_text(std::string_view array_name, const JsonArray& array,
                                     std::size_t index, std::size_t bytes_max) {
  const std::string name = std::string(array_name) + '[' + std::to_string(index) + ']';
  return checked_text(&array[index], name, bytes_max);
}

bool is_printable_text(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte < 0x20 || byte == 0x7f) return false;
    // U+0080 to U+009F are C2 80 to C2 9F.
    if (byte == 0xc2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xa0) {
      return false;
    }
  }
  return true;
}

}  // namespace sidestream::control
