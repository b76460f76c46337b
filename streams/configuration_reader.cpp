#include "streams/configuration_reader.h"

#include <algorithm>

#include "streams/message_text.h"
#include "streams/quantity.h"

namespace sidestream {

// ---- ConfigurationValue --------------------------------------------------------------------

Place ConfigurationValue::place() const {
  if (!node_->origin.empty()) return {node_->origin, std::nullopt};
  return {source_->name, source_->has_marks ? std::optional(node_->mark) : std::nullopt};
}

void ConfigurationValue::fail(std::string message) const {
  const bool is_of_document = node_->origin.empty();
  source_->problems.add({place(), is_of_document ? path_ : "", std::move(message)});
}

std::string ConfigurationValue::described() const {
  switch (node_->kind) {
    case YamlNode::Kind::null:
      return "nothing";
    case YamlNode::Kind::scalar:
      return in_quotes(node_->text);
    case YamlNode::Kind::sequence:
      return "a list";
    case YamlNode::Kind::mapping:
      return "a mapping";
  }
  return "";
}

void ConfigurationValue::fail_expected(std::string_view what) const {
  if (is_null()) return fail("has no value; expected " + std::string(what));
  fail("expected " + std::string(what) + ", not " + described());
}

bool ConfigurationValue::may_refer() const {
  return source_->variables != nullptr && node_->origin.empty();
}

void ConfigurationValue::fail_parsing(std::string_view message) const {
  const auto expansion = may_refer() ? expand_variables(node_->text, *source_->variables)
                                     : std::expected<Expansion, std::string>();
  // Inside the quotes there is no other one (in_quotes); the text may begin with `: `, so the
  // opening quote itself is passed over.
  const std::size_t end = message.find("\": ", 1);
  if (expansion && expansion->substituted && message.starts_with('"') &&
      end != std::string_view::npos)
    return fail(in_quotes(node_->text) + std::string(message.substr(end + 1)));
  fail(std::string(message));
}

std::optional<Expansion> ConfigurationValue::expanded(bool is_secret) const {
  if (!may_refer()) return Expansion{.text = node_->text};
  auto expansion = is_secret ? expand_variables(node_->text, source_->variables->for_secrets())
                             : expand_variables(node_->text, *source_->variables);
  if (!expansion) {
    fail(expansion.error());
    return std::nullopt;
  }
  source_->variables_used.insert(expansion->variables.begin(), expansion->variables.end());
  return std::move(*expansion);
}

std::optional<std::string> ConfigurationValue::text() const {
  if (!is_text()) {
    fail_expected("a text");
    return std::nullopt;
  }
  auto expansion = expanded();
  if (!expansion) return std::nullopt;
  if (expansion->text.empty()) {
    fail(expansion->substituted ? in_quotes(node_->text) + " is empty" : "is empty");
    return std::nullopt;
  }
  return std::move(expansion->text);
}

std::optional<SecretText> ConfigurationValue::secret() const {
  if (!is_text()) {
    fail(is_null() ? "has no value" : "expected a text, not " + described());
    return std::nullopt;
  }
  auto expansion = expanded(true);
  if (!expansion) return std::nullopt;
  SecretText secret(std::move(expansion->text));
  if (secret.empty()) {
    fail("is empty");
    return std::nullopt;
  }
  return secret;
}

std::optional<ConfigurationFile> ConfigurationValue::file() const {
  return read(source_->variables == nullptr ? nullptr : source_->variables->file);
}

std::optional<ConfigurationFile> ConfigurationValue::secret_file() const {
  return read(source_->variables == nullptr ? nullptr : source_->variables->for_secrets().file);
}

std::optional<ConfigurationFile> ConfigurationValue::read(const FileReader& reader) const {
  auto path = text();
  if (!path) return std::nullopt;
  if (!reader) {
    fail("names a file, and files cannot be read here");
    return std::nullopt;
  }
  auto content = reader(*path);
  if (content) return ConfigurationFile{std::move(*path), SecretText(std::move(*content))};
  fail(content.error());
  return std::nullopt;
}

std::optional<bool> ConfigurationValue::boolean() const {
  static constexpr std::array<std::pair<std::string_view, bool>, 2> words{
      {{"true", true}, {"false", false}}};
  return choice(words);
}

std::optional<std::int64_t> ConfigurationValue::integer(std::int64_t min, std::int64_t max) const {
  const std::string range =
      "a whole number from " + std::to_string(min) + " to " + std::to_string(max);
  if (!is_text()) {
    fail_expected(range);
    return std::nullopt;
  }
  const auto written = text();
  if (!written) return std::nullopt;
  const auto number = parse_whole_number(*written);
  if (number && *number >= min && *number <= max) return number;
  fail_expected(range);
  return std::nullopt;
}

std::optional<Duration> ConfigurationValue::duration(Duration min, Duration max) const {
  const std::string range = "a duration from " + duration_text(min) + " to " + duration_text(max);
  if (!is_text()) {
    fail_expected(range);
    return std::nullopt;
  }
  const auto written = text();
  if (!written) return std::nullopt;
  const auto duration = parse_duration(*written);
  if (duration && *duration >= min && *duration <= max) return duration;
  fail_expected(duration ? range : range + " with its unit (ms, s, m, h or d)");
  return std::nullopt;
}

std::optional<std::uint64_t> ConfigurationValue::size(std::uint64_t min, std::uint64_t max) const {
  const std::string range =
      "a size from " + std::to_string(min) + " to " + std::to_string(max) + " bytes";
  if (!is_text()) {
    fail_expected(range);
    return std::nullopt;
  }
  const auto written = text();
  if (!written) return std::nullopt;
  const auto size = parse_size(*written);
  if (size && *size >= min && *size <= max) return size;
  fail_expected(size ? range : range + ", such as 512KiB");
  return std::nullopt;
}

std::optional<std::size_t> ConfigurationValue::choose(std::span<const std::string_view> words,
                                                      std::span<const LaterWord> later) const {
  if (!is_text()) {
    fail_expected(alternatives(words));
    return std::nullopt;
  }
  const auto written = text();
  if (!written) return std::nullopt;
  const auto found = std::ranges::find(words, std::string_view(*written));
  if (found != words.end()) return static_cast<std::size_t>(found - words.begin());
  const auto known = std::ranges::find(later, std::string_view(*written), &LaterWord::first);
  if (known != later.end())
    fail(std::string(known->second));
  else
    fail("expected " + alternatives(words) + ", not " + described() +
         did_you_mean(node_->text, words));
  return std::nullopt;
}

std::vector<ConfigurationValue> ConfigurationValue::list(std::size_t count_max) const {
  if (is_null()) {
    fail("has no value");
    return {};
  }
  if (!is_list()) return {*this};
  if (node_->items.empty()) fail("is an empty list");
  if (node_->items.size() > count_max) {
    fail("has " + std::to_string(node_->items.size()) + " items; " + std::to_string(count_max) +
         " are allowed");
    return {};
  }
  std::vector<ConfigurationValue> items;
  for (std::size_t i = 0; i < node_->items.size(); ++i)
    items.emplace_back(node_->items[i], path_ + "[" + std::to_string(i) + "]", *source_);
  return items;
}

// ---- ConfigurationSection ------------------------------------------------------------------

ConfigurationSection::ConfigurationSection(const ConfigurationValue& value,
                                           std::string_view example)
    : value_(value) {
  if (value.is_section() || value.is_null()) return;
  std::string what = "keys with values";
  if (!example.empty()) what.append(", such as `").append(example).append("`");
  value.fail_expected(what);
}

std::string ConfigurationSection::path_of(std::string_view key) const {
  return value_.path_.empty() ? printable(key) : value_.path_ + "." + printable(key);
}

std::optional<ConfigurationValue> ConfigurationSection::find(std::string_view key) {
  if (std::ranges::find(known_, key) == known_.end()) known_.push_back(key);
  const YamlNode* node = value_.node_->find(key);
  if (node == nullptr) return std::nullopt;
  return ConfigurationValue(*node, path_of(key), *value_.source_);
}

std::optional<ConfigurationValue> ConfigurationSection::require(std::string_view key,
                                                                std::string_view example) {
  auto found = find(key);
  if (!found && (value_.is_section() || value_.is_null()))
    value_.fail("the key \"" + std::string(key) + "\" is missing; add `" + std::string(example) +
                "`");
  return found;
}

void ConfigurationSection::refuse(std::string_view key, std::string_view reason) {
  refused_.push_back(key);
  for (const Named& named : all())
    if (named.name == key) fail(named, std::string(reason));
}

std::vector<ConfigurationSection::Named> ConfigurationSection::all() const {
  const YamlNode& node = *value_.node_;
  std::vector<Named> result;
  for (std::size_t i = 0; i < node.keys.size(); ++i)
    result.push_back(
        {node.keys[i].text, node.keys[i].mark,
         ConfigurationValue(node.items[i], path_of(node.keys[i].text), *value_.source_)});
  return result;
}

void ConfigurationSection::fail(const Named& named, std::string message) const {
  const auto mark = value_.source_->has_marks ? std::optional(named.mark) : std::nullopt;
  value_.source_->problems.add(
      {{value_.source_->name, mark}, named.value.path(), std::move(message)});
}

void ConfigurationSection::finish() const {
  std::vector<std::string_view> all_known = known_;
  all_known.insert(all_known.end(), refused_.begin(), refused_.end());
  for (const Named& named : all()) {
    if (std::ranges::find(all_known, named.name) != all_known.end()) continue;
    std::string hint = did_you_mean(named.name, all_known);
    if (hint.empty()) hint = "; expected " + alternatives(known_);
    fail(named, "unknown key" + hint);
  }
}

}  // namespace sidestream
