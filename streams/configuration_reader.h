// Typed reading of a configuration tree. Every getter either returns a value or reports a problem
// at the value's own place and returns nothing, so a reader is a straight list of keys and all
// problems are found in one pass. Values and sections are views: the tree and the source must
// outlive them.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "streams/configuration_problem.h"
#include "streams/secret_text.h"
#include "streams/time.h"
#include "streams/variables.h"
#include "streams/yaml_document.h"

namespace sidestream {

// A file that a configuration names.
struct ConfigurationFile {
  std::string path;  // as it was written, variables replaced
  SecretText content;
};

// Where a tree came from and where its problems go.
struct ConfigurationSource {
  std::string name;  // the file as the user named it, or an environment variable
  ConfigurationProblems& problems;
  const VariableSources* variables = nullptr;  // none: `${` means nothing special
  bool has_marks = true;                       // a file has lines, a variable has none
  std::set<std::string> variables_used = {};   // every ${VAR} that took part
};

class ConfigurationSection;

class ConfigurationValue {
 public:
  ConfigurationValue(const YamlNode& node, std::string path, ConfigurationSource& source)
      : node_(&node), path_(std::move(path)), source_(&source) {}

  [[nodiscard]] bool is_null() const { return node_->kind == YamlNode::Kind::null; }
  [[nodiscard]] bool is_text() const { return node_->kind == YamlNode::Kind::scalar; }
  [[nodiscard]] bool is_list() const { return node_->kind == YamlNode::Kind::sequence; }
  [[nodiscard]] bool is_section() const { return node_->kind == YamlNode::Kind::mapping; }
  [[nodiscard]] Place place() const;
  [[nodiscard]] const std::string& path() const { return path_; }

  // ---- getters -----------------------------------------------------------------------------
  // With variables replaced; never empty.
  [[nodiscard]] std::optional<std::string> text() const;
  // As text, for keys and tickets: no message shows any of it.
  [[nodiscard]] std::optional<SecretText> secret() const;
  // The path of a file, with its content; what is not absolute is looked up beside the
  // configuration.
  [[nodiscard]] std::optional<ConfigurationFile> file() const;
  // The same where it must be a secret: a file that others can read is an error too.
  [[nodiscard]] std::optional<ConfigurationFile> secret_file() const;
  [[nodiscard]] std::optional<bool> boolean() const;
  [[nodiscard]] std::optional<std::int64_t> integer(std::int64_t min, std::int64_t max) const;
  [[nodiscard]] std::optional<Duration> duration(Duration min, Duration max) const;
  [[nodiscard]] std::optional<std::uint64_t> size(std::uint64_t min, std::uint64_t max) const;
  // One of a table of words and what they mean; nothing else is accepted. `later` are words that
  // are known and not accepted, with the reason and the remedy.
  using LaterWord = std::pair<std::string_view, std::string_view>;
  template <typename Meaning, std::size_t Count>
  [[nodiscard]] std::optional<Meaning> choice(
      const std::array<std::pair<std::string_view, Meaning>, Count>& table,
      std::span<const LaterWord> later = {}) const {
    std::array<std::string_view, Count> words;
    for (std::size_t i = 0; i < Count; ++i) words[i] = table[i].first;
    const auto index = choose(words, later);
    if (!index) return std::nullopt;
    return table[*index].second;
  }
  // The items of a list; a single value is a list of one. An empty list is a problem, and so is one
  // that is longer than `count_max`.
  [[nodiscard]] std::vector<ConfigurationValue> list(std::size_t count_max) const;

  // ---- problems ----------------------------------------------------------------------------
  void fail(std::string message) const;
  // `expected WHAT, not "written"`: shows the text as it is written, `${…}` included.
  void fail_expected(std::string_view what) const;
  // For a parser's own message that begins with its input in quotes and a colon: the input is
  // replaced by what is written when variables took part in it.
  void fail_parsing(std::string_view message) const;

 private:
  friend class ConfigurationSection;
  // The index of the word.
  [[nodiscard]] std::optional<std::size_t> choose(std::span<const std::string_view> words,
                                                  std::span<const LaterWord> later) const;
  [[nodiscard]] std::string described() const;
  // Whether `${` in it means anything: not in what comes from elsewhere than the document.
  [[nodiscard]] bool may_refer() const;
  [[nodiscard]] std::optional<Expansion> expanded(bool is_secret = false) const;
  [[nodiscard]] std::optional<ConfigurationFile> read(const FileReader& reader) const;

  const YamlNode* node_;
  std::string path_;
  ConfigurationSource* source_;
};

// A mapping whose keys the reader names one by one. What was never named is a problem. Keys are
// string literals: the section keeps views of them.
class ConfigurationSection {
 public:
  // Reports when the value is no mapping, with what it should look like; it is then read as an
  // empty one. So is a key without a value, silently.
  explicit ConfigurationSection(const ConfigurationValue& value, std::string_view example = "");

  [[nodiscard]] std::optional<ConfigurationValue> find(std::string_view key);
  // Reports when the key is not there; `example` shows what to add, `endpoint: HOST:PORT`.
  [[nodiscard]] std::optional<ConfigurationValue> require(std::string_view key,
                                                          std::string_view example);
  // A key that is known and cannot be used: `reason` says why and what to do instead.
  void refuse(std::string_view key, std::string_view reason);
  // All keys, for mappings whose keys are names that the user gives.
  struct Named {
    std::string name;
    Mark mark;  // of the name
    ConfigurationValue value;
  };
  [[nodiscard]] std::vector<Named> all() const;
  // A problem of the name itself.
  void fail(const Named& named, std::string message) const;
  // To be called last: reports the keys that nobody asked for.
  void finish() const;

  [[nodiscard]] const ConfigurationValue& value() const { return value_; }

 private:
  [[nodiscard]] std::string path_of(std::string_view key) const;

  ConfigurationValue value_;
  std::vector<std::string_view> known_;
  std::vector<std::string_view> refused_;
};

}  // namespace sidestream
