#include "streams/yaml_document.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <map>
#include <sstream>
#include <utility>

#include "streams/message_text.h"
#include "streams/yaml_text.h"

namespace sidestream {
namespace {

// Ends the parsing; caught in parse_yaml.
struct Stop {
  YamlProblem problem;
};

Mark mark_of(const YAML::Mark& mark) {
  if (mark.is_null()) return {};
  return {static_cast<unsigned>(mark.line + 1), static_cast<unsigned>(mark.column + 1)};
}

std::size_t count_nodes(const YamlNode& node) {
  std::size_t count = 1;
  for (const YamlNode& item : node.items) count += count_nodes(item);
  return count;
}

std::size_t depth_of(const YamlNode& node) {
  std::size_t depth = 0;
  for (const YamlNode& item : node.items) depth = std::max(depth, depth_of(item));
  return depth + 1;
}

// Builds the tree from the parser's events. A container under construction stands on a stack and
// goes into its parent when it ends.
class TreeBuilder : public YAML::EventHandler {
 public:
  TreeBuilder(const YamlLimits& limits, YamlDocument& document)
      : limits_(limits), document_(document) {}

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (document_.root)
      throw Stop{{mark_of(mark),
                  "a second document begins here; is the indentation right? One file is one "
                  "document"}};
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    add({.mark = mark_of(mark)}, anchor);
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    refuse_tag(mark, tag);
    add({.kind = YamlNode::Kind::scalar, .mark = mark_of(mark), .text = value}, anchor);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto target = anchors_.find(anchor);
    if (target == anchors_.end())
      throw Stop{{mark_of(mark), "the alias stands inside of what it refers to; write it out"}};
    const YamlNode copy = target->second;
    count(mark_of(mark), count_nodes(copy));
    if (open_.size() + depth_of(copy) > limits_.depth_max) too_deep(mark_of(mark));
    place(copy);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(YamlNode::Kind::sequence, mark, tag, anchor);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(YamlNode::Kind::mapping, mark, tag, anchor);
  }
  void OnMapEnd() override { close(); }

  // Where the innermost container that is still open began.
  [[nodiscard]] std::optional<Mark> innermost() const {
    if (open_.empty()) return std::nullopt;
    return open_.back().node.mark;
  }

 private:
  struct Open {
    YamlNode node;
    YAML::anchor_t anchor = 0;
    std::optional<YamlNode> key;  // of a mapping: waits for its value
  };

  // Plain scalars come with "?", quoted ones with "!", containers with either or nothing.
  static void refuse_tag(const YAML::Mark& mark, const std::string& tag) {
    if (tag.empty() || tag == "?" || tag == "!") return;
    throw Stop{{mark_of(mark),
                "tags are not supported; quote a text that begins with an exclamation mark"}};
  }
  [[noreturn]] void too_deep(const Mark& mark) const {
    throw Stop{{mark, "nested deeper than " + std::to_string(limits_.depth_max) + " levels"}};
  }
  void count(const Mark& mark, std::size_t nodes) {
    nodes_ += nodes;
    if (nodes_ > limits_.nodes_max)
      throw Stop{{mark, "more than " + std::to_string(limits_.nodes_max) +
                            " values, counted with aliases written out"}};
  }

  void open(YamlNode::Kind kind, const YAML::Mark& mark, const std::string& tag,
            YAML::anchor_t anchor) {
    refuse_tag(mark, tag);
    count(mark_of(mark), 1);
    if (open_.size() >= limits_.depth_max) too_deep(mark_of(mark));
    open_.push_back({{.kind = kind, .mark = mark_of(mark)}, anchor, std::nullopt});
  }
  void close() {
    Open closed = std::move(open_.back());
    open_.pop_back();
    if (closed.anchor != 0) anchors_.insert_or_assign(closed.anchor, closed.node);
    place(std::move(closed.node));
  }
  void add(YamlNode node, YAML::anchor_t anchor) {
    count(node.mark, 1);
    if (anchor != 0) anchors_.insert_or_assign(anchor, node);
    place(std::move(node));
  }

  void place(YamlNode node) {
    if (open_.empty()) {
      document_.root = std::move(node);
    } else if (open_.back().node.kind == YamlNode::Kind::sequence) {
      open_.back().node.items.push_back(std::move(node));
    } else if (!open_.back().key) {
      if (node.kind != YamlNode::Kind::scalar)
        throw Stop{{node.mark, "a key must be text; quote it if it begins with [ or {"}};
      open_.back().key = std::move(node);
    } else {
      place_entry(open_.back(), std::move(node));
    }
  }
  void place_entry(Open& mapping, YamlNode value) {
    const YamlNode key = *std::exchange(mapping.key, std::nullopt);
    if (value.kind == YamlNode::Kind::null) value.mark = key.mark;  // there is nothing to point at
    std::vector<YamlKey>& keys = mapping.node.keys;
    const auto twin = std::ranges::find(keys, key.text, &YamlKey::text);
    if (twin == keys.end()) {
      keys.push_back({key.text, key.mark});
      mapping.node.items.push_back(std::move(value));
    } else if (document_.problems.size() < limits_.problems_max) {
      document_.problems.push_back(
          {key.mark, "the key " + in_quotes(key.text) + " is there already, in line " +
                         std::to_string(twin->mark.line) + "; remove one of the two"});
    }
  }

  const YamlLimits& limits_;
  YamlDocument& document_;
  std::vector<Open> open_;
  std::map<YAML::anchor_t, YamlNode> anchors_;
  std::size_t nodes_ = 0;
};

// The library's own messages name what its grammar missed; these name what the writer has to do.
std::string explain(std::string_view message, char at) {
  constexpr std::string_view quote_it = "; put text that holds special characters in quotes";
  namespace msg = YAML::ErrorMsg;
  if (message == msg::UNKNOWN_ANCHOR || message == msg::ALIAS_NOT_FOUND ||
      message == msg::CHAR_IN_ALIAS)
    return "a text that begins with * must be in quotes: \"*.example.com\"";
  if (message == msg::UNKNOWN_TOKEN)
    return std::string("a text cannot begin with ") + at + " unless it is in quotes";
  if (message == msg::MAP_VALUE)
    return std::string("no \": \" may stand here; is the indentation right?") +=
           " Put text that holds \": \" in quotes";
  if (message == msg::END_OF_MAP || message == msg::END_OF_SEQ)
    return std::string("this does not continue the lines above; is the indentation right?") +=
           " Put text that begins with [ or { in quotes";
  if (message == msg::EOF_IN_SCALAR) return "a quote is opened and never closed";
  return std::string(message).append(quote_it);
}

YamlProblem problem_of(const YAML::Exception& error, std::string_view text,
                       const std::optional<Mark>& innermost) {
  namespace msg = YAML::ErrorMsg;
  const Mark mark = mark_of(error.mark);
  const std::size_t offset = offset_of(text, mark);
  const char at = offset < text.size() ? text[offset] : ' ';
  if (error.msg == msg::END_OF_SEQ_FLOW || error.msg == msg::END_OF_MAP_FLOW) {
    if (offset > 0 && text.substr(offset - 1).starts_with("${"))
      return {{mark.line, mark.column - 1}, "inside [ ] and { } put ${…} in quotes: \"${VAR}\""};
    const char bracket = error.msg == msg::END_OF_SEQ_FLOW ? '[' : '{';
    return {innermost.value_or(mark),
            std::string("this ") + bracket + " is not closed, or a comma is missing after it"};
  }
  return {mark, explain(error.msg, at)};
}

}  // namespace

const YamlNode* YamlNode::find(std::string_view key) const {
  const auto found = std::ranges::find(keys, key, &YamlKey::text);
  return found == keys.end() ? nullptr : &items[static_cast<std::size_t>(found - keys.begin())];
}

YamlDocument parse_yaml(std::string_view text, const YamlLimits& limits) {
  YamlDocument document;
  if (auto problem = find_text_problem(text, limits.bytes_max)) {
    document.problems.push_back(std::move(*problem));
    return document;
  }
  TreeBuilder builder(limits, document);
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
    if (!document.root) document.root = YamlNode{};
  } catch (const Stop& stop) {
    document.root.reset();
    document.problems.push_back(stop.problem);
  } catch (const YAML::Exception& error) {
    document.root.reset();
    document.problems.push_back(problem_of(error, text, builder.innermost()));
  }
  std::ranges::sort(document.problems, {}, &YamlProblem::mark);
  return document;
}

}  // namespace sidestream
