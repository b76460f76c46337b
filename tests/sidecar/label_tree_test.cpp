#include "sidecar/label_tree.h"

#include <gtest/gtest.h>

namespace sidestream::sidecar {
namespace {

std::string text_of(const YamlNode& node) {
  if (node.kind == YamlNode::Kind::null) return "null";
  if (node.kind == YamlNode::Kind::scalar) return node.text;
  const bool is_list = node.kind == YamlNode::Kind::sequence;
  std::string text = is_list ? "[" : "{";
  for (std::size_t i = 0; i < node.items.size(); ++i)
    text += (i > 0 ? " " : "") + (is_list ? "" : node.keys[i].text + "=") + text_of(node.items[i]);
  return text + (is_list ? "]" : "}");
}

std::string read(std::vector<std::pair<std::string, std::string>> labels) {
  const LabelTree tree = parse_labels(labels);
  std::string text = text_of(tree.services);
  for (const std::string& problem : tree.problems) text += "\n" + problem;
  return text;
}

TEST(LabelTree, HasServicesAndTheirKeys) {
  EXPECT_EQ(read({}), "{}");
  EXPECT_EQ(read({{"sidestream.services.a.port", "80"},
                  {"sidestream.services.a.limits.streams", "5"},
                  {"sidestream.services.b.tls", "off"}}),
            "{a={port=80 limits={streams=5}} b={tls=off}}");
}

TEST(LabelTree, SplitsLists) {
  EXPECT_EQ(read({{"sidestream.services.a.publish", "x.example.com, :22\n:23"}}),
            "{a={publish=[x.example.com :22 :23]}}");
}

TEST(LabelTree, PutsAKindAmongTheOtherKeys) {
  EXPECT_EQ(read({{"sidestream.services.a.health", "ssh"},
                  {"sidestream.services.a.health.interval", "9s"}}),
            "{a={health={kind=ssh interval=9s}}}");
}

TEST(LabelTree, SaysWhatItCannotRead) {
  constexpr auto form = "write sidestream.services.NAME.KEY";
  EXPECT_EQ(read({{"sidestream.enable", "true"}}),
            "{}\nsidestream.enable: unknown label; expected sidestream.services.NAME.KEY");
  for (const std::string label :
       {"sidestream.services.a", "sidestream.services.", "sidestream.services..x",
        "sidestream.services.a.", "sidestream.services.a.b.c.d.e.f"})
    EXPECT_TRUE(read({{label, "x"}}).ends_with("\n" + label + ": cannot be read; " + form))
        << read({{label, "x"}});
  EXPECT_TRUE(
      read({{"sidestream.services.a.publish", "x"}, {"sidestream.services.a.publish.y", "x"}})
          .ends_with("publish.y: cannot be read; write sidestream.services.NAME.KEY"));
}

}  // namespace
}  // namespace sidestream::sidecar
