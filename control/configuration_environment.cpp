#include "control/configuration_environment.h"

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <utility>

namespace sidestream::control {
namespace {

using Form = EnvironmentKey::Form;

constexpr std::array program_keys{
    EnvironmentKey{"SIDESTREAM_TUNNEL_MODE", "tunnel.mode"},
    EnvironmentKey{"SIDESTREAM_TUNNEL_MTU", "tunnel.mtu"},
    EnvironmentKey{"SIDESTREAM_TUNNEL_PATIENCE", "tunnel.patience"},
    EnvironmentKey{"SIDESTREAM_LIMITS_STREAMS", "limits.streams"},
    EnvironmentKey{"SIDESTREAM_LIMITS_MEMORY", "limits.memory"},
    EnvironmentKey{"SIDESTREAM_GRACE", "grace"},
    EnvironmentKey{"SIDESTREAM_STATE", "state"},
    EnvironmentKey{"SIDESTREAM_ADMIN", "admin", Form::list},
    EnvironmentKey{"SIDESTREAM_METRICS_LISTEN", "metrics.listen"},
    EnvironmentKey{"SIDESTREAM_TAILSCALE", "tailscale"},
    EnvironmentKey{"SIDESTREAM_LOG_LEVEL", "log.level"},
    EnvironmentKey{"SIDESTREAM_LOG_FORMAT", "log.format"},
    EnvironmentKey{"SIDESTREAM_LOG_RATE", "log.rate"},
};

constexpr std::string_view item_mark = "[]";

std::string value_of(const VariableSources& sources, const std::string& variable) {
  return sources.environment(variable).value_or("");
}

std::string file_variable(const EnvironmentKey& key) {
  return std::string(key.variable) + std::string(file_suffix);
}

void fail(ConfigurationProblems& problems, const std::string& variable, std::string message) {
  problems.add({{variable, std::nullopt}, "", std::move(message)});
}

bool is_set(const EnvironmentKey& key, const VariableSources& sources) {
  return !value_of(sources, std::string(key.variable)).empty() ||
         (key.may_be_file() && !value_of(sources, file_variable(key)).empty());
}

constexpr std::string_view comma_or_space = ", \t\r\n";

std::vector<std::string> pieces_of(std::string_view text, std::string_view separators) {
  std::vector<std::string> pieces;
  for (std::size_t begin = text.find_first_not_of(separators); begin != std::string_view::npos;) {
    const std::size_t end = std::min(text.find_first_of(separators, begin), text.size());
    pieces.emplace_back(text.substr(begin, end - begin));
    begin = text.find_first_not_of(separators, end);
  }
  return pieces;
}

std::string trimmed(std::string_view text) {
  const std::size_t begin = std::min(text.find_first_not_of(comma_or_space), text.size());
  text.remove_prefix(begin);
  return std::string(text.substr(0, text.find_last_not_of(comma_or_space) + 1));
}

// Whether the document itself has the key, or something else in its place.
bool has_path(const YamlNode& root, std::string_view path) {
  const YamlNode* node = &root;
  while (!path.empty()) {
    if (node->kind == YamlNode::Kind::null) return false;
    if (node->kind != YamlNode::Kind::mapping) return true;
    const std::size_t dot = path.find('.');
    node = node->find(path.substr(0, dot));
    if (node == nullptr) return false;
    path = dot == std::string_view::npos ? "" : path.substr(dot + 1);
  }
  return true;
}

YamlNode text_node(std::string text, const std::string& origin) {
  return {.kind = YamlNode::Kind::scalar, .text = std::move(text), .origin = origin};
}

YamlNode& child_of(YamlNode& mapping, std::string_view key, const std::string& origin) {
  mapping.kind = YamlNode::Kind::mapping;
  for (std::size_t i = 0; i < mapping.keys.size(); ++i)
    if (mapping.keys[i].text == key) return mapping.items[i];
  mapping.keys.push_back({std::string(key), mapping.mark});
  return mapping.items.emplace_back(YamlNode{.origin = origin});
}

// One variable's value on its way into the tree.
struct Given {
  std::string variable;  // or VARIABLE_FILE
  std::string text;
};

class Overlay {
 public:
  Overlay(YamlNode& root, std::span<const EnvironmentKey> keys, const VariableSources& sources,
          ConfigurationProblems& problems)
      : root_(root), document_(root), keys_(keys), sources_(sources), problems_(problems) {}

  std::vector<IdleVariable> run() {
    find_incomplete();
    for (const EnvironmentKey& key : keys_)
      if (!incomplete_.contains(key.taken_by())) add(key);
    return std::move(idle_);
  }

 private:
  // Keys that make a whole only together: what is missing is reported, and none of them is read.
  void find_incomplete() {
    for (const EnvironmentKey& key : keys_) {
      const std::string_view whole = key.taken_by();
      if (key.needed.empty() || is_set(key, sources_) || has_path(document_, whole)) continue;
      const EnvironmentKey* other = first_set(whole);
      if (other == nullptr || other->form == Form::items) continue;
      incomplete_.insert(whole);
      fail(problems_, std::string(key.variable),
           "is not set, but " + std::string(other->variable) + " is; set it to " +
               std::string(key.needed));
    }
  }

  // Of those with this place; one that is a whole by itself stands before the others.
  [[nodiscard]] const EnvironmentKey* first_set(std::string_view whole) const {
    const auto found = std::ranges::find_if(keys_, [&](const EnvironmentKey& key) {
      return key.taken_by() == whole && is_set(key, sources_);
    });
    return found == keys_.end() ? nullptr : &*found;
  }

  void add(const EnvironmentKey& key) {
    const auto given = read(key);
    if (!given) return;
    if (has_path(document_, key.taken_by())) {
      idle_.push_back({given->variable, key.taken_by()});
      return;
    }
    if (key.form == Form::text || key.form == Form::secret) {
      place_of(key, *given, 0) = text_node(without_final_newline(given->text), given->variable);
      return;
    }
    // White space inside of a secret is a mistake to be told as that.
    auto pieces = pieces_of(given->text, key.form == Form::items ? "," : comma_or_space);
    for (std::string& piece : pieces) piece = trimmed(piece);
    std::erase(pieces, "");
    if (pieces.empty()) return fail(problems_, given->variable, "is empty");
    if (key.form == Form::items) {
      for (std::size_t i = 0; i < pieces.size(); ++i)
        place_of(key, *given, i) = text_node(pieces[i], given->variable);
      return;
    }
    YamlNode& list = place_of(key, *given, 0);
    list.kind = YamlNode::Kind::sequence;
    for (const std::string& piece : pieces) list.items.push_back(text_node(piece, given->variable));
  }

  std::optional<Given> read(const EnvironmentKey& key) {
    const std::string variable(key.variable);
    std::string text = value_of(sources_, variable);
    const std::string path = key.may_be_file() ? value_of(sources_, file_variable(key)) : "";
    if (path.empty()) {
      if (text.empty()) return std::nullopt;
      return Given{variable, std::move(text)};
    }
    if (!text.empty()) {
      fail(problems_, file_variable(key),
           "is set, and so is " + variable + "; unset one of the two");
      return std::nullopt;
    }
    if (has_path(document_, key.taken_by())) return Given{file_variable(key), ""};
    auto content = sources_.for_secrets().file(path);
    if (content) return Given{file_variable(key), std::move(*content)};
    fail(problems_, file_variable(key), content.error());
    return std::nullopt;
  }

  // Where the key's value goes; what leads there is made when it is not there.
  YamlNode& place_of(const EnvironmentKey& key, const Given& given, std::size_t item) {
    YamlNode* node = &root_;
    std::string_view rest = key.path;
    while (!rest.empty()) {
      const std::size_t dot = rest.find('.');
      std::string_view name = rest.substr(0, dot);
      rest = dot == std::string_view::npos ? "" : rest.substr(dot + 1);
      const bool is_list = name.ends_with(item_mark);
      if (is_list) name.remove_suffix(item_mark.size());
      if (node->kind == YamlNode::Kind::scalar) {
        fail(problems_, given.variable,
             "is set, and so is " + node->origin + "; unset one of the two");
        return nowhere_;
      }
      node = &child_of(*node, name, given.variable);
      if (!is_list) continue;
      node->kind = YamlNode::Kind::sequence;
      while (node->items.size() <= item)
        node->items.push_back(YamlNode{.kind = YamlNode::Kind::mapping, .origin = given.variable});
      node = &node->items[item];
    }
    return *node;
  }

  YamlNode& root_;
  const YamlNode document_;  // as it was
  std::span<const EnvironmentKey> keys_;
  const VariableSources& sources_;
  ConfigurationProblems& problems_;
  std::set<std::string_view> incomplete_;
  std::vector<IdleVariable> idle_;
  YamlNode nowhere_;  // for values that have no place
};

}  // namespace

std::span<const EnvironmentKey> program_environment() {
  return program_keys;
}

bool is_any_set(std::span<const EnvironmentKey> keys, std::string_view taken_by,
                const VariableSources& sources) {
  return std::ranges::any_of(keys, [&](const EnvironmentKey& key) {
    return key.taken_by() == taken_by && is_set(key, sources);
  });
}

std::optional<YamlNode> read_tree(const std::optional<ConfigurationText>& file,
                                  ConfigurationProblems& problems) {
  if (!file) return YamlNode{.kind = YamlNode::Kind::mapping};
  YamlDocument document = parse_yaml(file->text);
  for (const YamlProblem& problem : document.problems)
    problems.add({{file->name, problem.mark}, "", problem.message});
  return std::move(document.root);
}

std::vector<IdleVariable> add_environment(YamlNode& root, std::span<const EnvironmentKey> keys,
                                          const VariableSources& sources,
                                          ConfigurationProblems& problems) {
  if (root.kind != YamlNode::Kind::mapping && root.kind != YamlNode::Kind::null) return {};
  return Overlay(root, keys, sources, problems).run();
}

void refuse_idle(std::span<const IdleVariable> idle, const ConfigurationSource& source) {
  for (const IdleVariable& one : idle) {
    if (source.variables_used.contains(one.variable)) continue;
    const std::string key(one.taken_by);
    source.problems.add({{one.variable, std::nullopt},
                         "",
                         "is set, but " + source.name + " has `" + key +
                             "` of its own that does not use it; unset it, or remove `" + key +
                             "`"});
  }
}

}  // namespace sidestream::control
