// The test vectors under tests/vectors: a file is a list of {name, source, inputs, expect}.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sidestream {

struct Vector {
  boost::json::object inputs;
  boost::json::object expect;
};

// A whole file, for tests that go through all of its vectors. The array lives as long as the
// program.
const boost::json::array& load_vectors(const std::string& file);
// Throws when the file or the name is not there, so that a test cannot pass without its vector.
Vector load_vector(std::string_view file, std::string_view name);

std::vector<std::uint8_t> bytes_of_hex(std::string_view hex);
// The same from a JSON string.
std::vector<std::uint8_t> bytes_of_json(const boost::json::value& hex);
std::string text_of_json(const boost::json::value& text);
// A number, or one in a string (decimal or 0x…) because JSON's do not reach 64 bits.
std::uint64_t number_of_json(const boost::json::value& number);

}  // namespace sidestream
