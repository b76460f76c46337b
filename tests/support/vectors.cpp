#include "tests/support/vectors.h"

#include <boost/json.hpp>
#include <fstream>
#include <iterator>
#include <map>
#include <stdexcept>

namespace sidestream {

const boost::json::array& load_vectors(const std::string& file) {
  static std::map<std::string, boost::json::value> loaded;
  const auto known = loaded.find(file);
  if (known != loaded.end()) return known->second.as_array();
  std::ifstream stream(std::string(SIDESTREAM_SOURCE_DIR) + "/tests/vectors/" + file);
  if (!stream) throw std::runtime_error("no vectors: " + file);
  const std::string text((std::istreambuf_iterator<char>(stream)), {});
  return loaded.emplace(file, boost::json::parse(text)).first->second.as_array();
}

Vector load_vector(std::string_view file, std::string_view name) {
  for (const boost::json::value& vector : load_vectors(std::string(file))) {
    const boost::json::object& object = vector.as_object();
    if (object.at("name").as_string() == name)
      return {object.at("inputs").as_object(), object.at("expect").as_object()};
  }
  throw std::runtime_error("no such vector: " + std::string(name));
}

std::vector<std::uint8_t> bytes_of_hex(std::string_view hex) {
  const auto digit = [](char c) {
    const std::size_t value = std::string_view("0123456789abcdef").find(c);
    if (value == std::string_view::npos) throw std::runtime_error("not hexadecimal");
    return static_cast<unsigned>(value);
  };
  std::vector<std::uint8_t> bytes;
  for (std::size_t i = 0; i < hex.size(); i += 2)
    bytes.push_back(static_cast<std::uint8_t>(digit(hex.at(i)) << 4U | digit(hex.at(i + 1))));
  return bytes;
}

std::vector<std::uint8_t> bytes_of_json(const boost::json::value& hex) {
  return bytes_of_hex(std::string_view(hex.as_string()));
}

std::string text_of_json(const boost::json::value& text) {
  return std::string(std::string_view(text.as_string()));
}

std::uint64_t number_of_json(const boost::json::value& number) {
  if (number.is_string()) return std::stoull(text_of_json(number), nullptr, 0);
  return number.to_number<std::uint64_t>();
}

}  // namespace sidestream
