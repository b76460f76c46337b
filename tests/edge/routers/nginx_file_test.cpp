#include "edge/routers/nginx_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sidestream::edge {
namespace {

using testing::HasSubstr;

NginxFile file(std::initializer_list<std::string_view> endpoints) {
  NginxFile made{.endpoints = {}, .target = "127.0.0.1:5150", .generation = "1f"};
  for (const std::string_view text : endpoints)
    made.endpoints.insert(control::Endpoint::parse(text).value());
  return made;
}

// The lines of one map.
std::string map_of(const std::string& text, const std::string& name) {
  const std::size_t begin = text.find(" " + name + " {\n");
  const std::size_t from = text.find('\n', begin) + 1;
  return text.substr(from, text.find("}\n", from) - from);
}

TEST(NginxFile, HasAMapForEachWayToFindAStream) {
  const std::string text = file({"a.test", "*.b.test:50001", ":50001"}).text();
  EXPECT_EQ(map_of(text, "$sidestream_by_name"),
            "    default $sidestream_by_wildcard;\n    \"a.test:443\" 127.0.0.1:5150;\n");
  EXPECT_EQ(map_of(text, "$sidestream_by_wildcard"),
            "    default $sidestream_rest;\n    \"*.b.test:50001\" 127.0.0.1:5150;\n");
  EXPECT_EQ(map_of(text, "$sidestream_rest"), "    default \"\";\n    \"50001\" 127.0.0.1:5150;\n");
  EXPECT_EQ(map_of(text, "$sidestream_by_port"),
            "    default \"\";\n    \"50001\" 127.0.0.1:5150;\n    \"443\" 127.0.0.1:5150;\n");
  EXPECT_EQ(map_of(text, "$sidestream_generation"), "    default \"1f\";\n");
}

TEST(NginxFile, IsReadBack) {
  for (const NginxFile& one : {file({}), file({"a.test", "*.b.test:50001", ":50001"})}) {
    const auto read = NginxFile::parse(one.text());
    ASSERT_TRUE(read);
    EXPECT_EQ(*read, one);
  }
}

TEST(NginxFile, OneThatWasEditedIsNotOurs) {
  const std::string text = file({"a.test", ":2222"}).text();
  EXPECT_FALSE(NginxFile::parse(""));
  EXPECT_FALSE(NginxFile::parse("map $x $y { default 1; }\n"));
  EXPECT_FALSE(NginxFile::parse(text + "\n"));
  for (std::size_t at = 0; at < text.size(); ++at) {
    std::string edited = text;
    edited[at] = edited[at] == 'x' ? 'y' : 'x';
    const auto read = NginxFile::parse(edited);
    EXPECT_FALSE(read && *read == file({"a.test", ":2222"})) << at;
  }
}

TEST(NginxFile, NothingThatIsPublishedGoesNowhereElse) {
  EXPECT_THAT(file({}).text(), HasSubstr("default \"\";"));
}

}  // namespace
}  // namespace sidestream::edge
