#include "sidecar/label_tree.h"

#include <algorithm>
#include <array>

#include "streams/message_text.h"

namespace sidestream::sidecar {
namespace {

constexpr std::array<std::string_view, 4> list_keys{"publish", "alpn", "allow", "deny"};
constexpr std::size_t depth_max = 4;  // of sections: the service, and those in it

YamlNode text_node(std::string_view text) {
  return {.kind = YamlNode::Kind::scalar, .text = std::string(text)};
}

YamlNode list_node(std::string_view text) {
  constexpr std::string_view separators = ", \t\r\n";
  YamlNode list{.kind = YamlNode::Kind::sequence};
  for (std::size_t begin = text.find_first_not_of(separators); begin != std::string_view::npos;) {
    const std::size_t end = std::min(text.find_first_of(separators, begin), text.size());
    list.items.push_back(text_node(text.substr(begin, end - begin)));
    begin = text.find_first_not_of(separators, end);
  }
  return list;
}

// A text with keys below it is their `kind`: `health` beside `health.interval`.
bool become_section(YamlNode& node) {
  if (node.kind == YamlNode::Kind::sequence) return false;
  if (node.kind == YamlNode::Kind::scalar) {
    YamlNode kind = text_node(node.text);
    node = YamlNode{};
    child_of(node, "kind") = std::move(kind);
  }
  node.kind = YamlNode::Kind::mapping;
  return true;
}

bool add(YamlNode& services, std::string_view path, const std::string& text) {
  YamlNode* node = &services;
  std::size_t depth = 0;
  for (std::size_t dot = path.find('.'); dot != std::string_view::npos; dot = path.find('.')) {
    if (++depth > depth_max || dot == 0) return false;
    node = &child_of(*node, path.substr(0, dot));
    if (!become_section(*node)) return false;
    path.remove_prefix(dot + 1);
  }
  if (depth == 0 || path.empty()) return false;
  YamlNode& leaf = child_of(*node, path);
  if (leaf.kind != YamlNode::Kind::null) return false;
  const bool is_list = std::ranges::find(list_keys, path) != list_keys.end();
  leaf = is_list ? list_node(text) : text_node(text);
  return true;
}

}  // namespace

YamlNode& child_of(YamlNode& mapping, std::string_view key) {
  mapping.kind = YamlNode::Kind::mapping;
  for (std::size_t i = 0; i < mapping.keys.size(); ++i)
    if (mapping.keys[i].text == key) return mapping.items[i];
  mapping.keys.push_back({std::string(key), {}});
  return mapping.items.emplace_back();
}

LabelTree parse_labels(std::span<const std::pair<std::string, std::string>> labels) {
  LabelTree tree{.services = {.kind = YamlNode::Kind::mapping}, .problems = {}};
  const std::string form = std::string(services_label) + "NAME.KEY";
  for (const auto& [label, text] : labels) {
    if (!label.starts_with(services_label))
      tree.problems.push_back(printable(label) + ": unknown label; expected " + form);
    else if (!add(tree.services, std::string_view(label).substr(services_label.size()), text))
      tree.problems.push_back(printable(label) + ": cannot be read; write " + form);
  }
  return tree;
}

}  // namespace sidestream::sidecar
