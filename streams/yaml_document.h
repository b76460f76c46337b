// One YAML document as a tree that remembers where everything stands. This is the only door to
// yaml-cpp; of YAML it lets in what a configuration needs: mappings with text keys, sequences,
// scalars, anchors and aliases. Tags, keys that are not text and several documents are problems.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sidestream {

// Counted from 1; the column in bytes.
struct Mark {
  unsigned line = 1;
  unsigned column = 1;
  auto operator<=>(const Mark&) const = default;
};

struct YamlLimits {
  std::size_t bytes_max = 1024UL * 1024;
  std::size_t depth_max = 32;
  std::size_t nodes_max = 10'000;  // after aliases were replaced by what they stand for
  std::size_t problems_max = 100;
};

struct YamlKey {
  std::string text;
  Mark mark;
};

struct YamlNode {
  enum class Kind { null, scalar, sequence, mapping };

  Kind kind = Kind::null;
  Mark mark = {};
  std::string text = {};             // of a scalar; its type is for the reader to decide
  std::vector<YamlNode> items = {};  // of a sequence, or the values of a mapping
  std::vector<YamlKey> keys = {};    // of a mapping: one for each item, in order, none twice
  std::string origin = {};           // where it comes from when that is not the document

  // The value of a key of a mapping; null when it is not there.
  [[nodiscard]] const YamlNode* find(std::string_view key) const;
};

struct YamlProblem {
  Mark mark;
  std::string message;  // what is wrong and what to do, one line
};

struct YamlDocument {
  // Absent when the text is not YAML. An empty document is a null node.
  std::optional<YamlNode> root;
  // All that was found; of errors of syntax only the first can be.
  std::vector<YamlProblem> problems;
};

// Never throws for bad text.
[[nodiscard]] YamlDocument parse_yaml(std::string_view text, const YamlLimits& limits = {});

}  // namespace sidestream
