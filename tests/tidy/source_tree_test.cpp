#include "tests/tidy/source_tree.h"

#include <gtest/gtest.h>

namespace sidestream::tidy {
namespace {

TEST(SourceTree, CodeHasNoCommentsAndNoTexts) {
  const SourceFile file("streams/x.cpp",
                        "int a = 1;  // detached\n"
                        "/* detached\n detached */ int b = 1'000;\n"
                        "auto c = \"detached \\\" detached\"; char d = '\"'; int e;\n"
                        "auto f = R\"x(detached \" )\" )x\"; int g;\n");
  ASSERT_EQ(file.code().size(), 5U);
  for (const std::string& line : file.code())
    EXPECT_EQ(line.find("detached"), std::string::npos) << line;
  EXPECT_TRUE(file.code()[2].ends_with("int b = 1'000;"));
  EXPECT_TRUE(file.code()[3].ends_with("int e;"));
  EXPECT_TRUE(file.code()[4].ends_with("int g;"));
  EXPECT_EQ(file.lines()[0], "int a = 1;  // detached");
}

TEST(SourceTree, IncludesAreFound) {
  const SourceFile file("edge/x.cpp", "#include \"edge/x.h\"\n\n#include <vector>\n");
  ASSERT_EQ(file.includes().size(), 2U);
  EXPECT_EQ(file.includes()[0].path, "edge/x.h");
  EXPECT_TRUE(file.includes()[0].quoted);
  EXPECT_EQ(file.includes()[1].path, "vector");
  EXPECT_EQ(file.includes()[1].line, 3U);
  EXPECT_FALSE(file.includes()[1].quoted);
}

TEST(SourceTree, FilesKnowWhatTheyAre) {
  EXPECT_TRUE(SourceFile("edge/route.cpp", "").is_core());
  EXPECT_FALSE(SourceFile("edge/accept_io.cpp", "").is_core());
  EXPECT_TRUE(SourceFile("edge/accept_io.cpp", "").is_product());
  EXPECT_FALSE(SourceFile("cli/main.cpp", "").is_core());
  EXPECT_FALSE(SourceFile("tests/edge/route_test.cpp", "").is_product());
  EXPECT_EQ(SourceFile("edge/accept_io.cpp", "").stem(), "accept_io");
  EXPECT_EQ(SourceFile("README.md", "").folder(), "");
}

TEST(SourceTree, FoldersExistWhenFilesAreInThem) {
  SourceTree tree;
  tree.add("docs/decisions/0001-x.md", "");
  tree.add("docs-other.md", "");
  EXPECT_TRUE(tree.exists("docs"));
  EXPECT_TRUE(tree.exists("docs/decisions/"));
  EXPECT_TRUE(tree.exists("docs/decisions/0001-x.md"));
  EXPECT_FALSE(tree.exists("docs/dec"));
  EXPECT_FALSE(tree.exists("bench"));
}

TEST(SourceTree, WordsEndWhereIdentifiersEnd) {
  EXPECT_TRUE(contains_word("rand()", "rand"));
  EXPECT_TRUE(contains_word("operand + rand()", "rand"));
  EXPECT_FALSE(contains_word("operand()", "rand"));
  EXPECT_FALSE(contains_word("rand_max", "rand"));
  EXPECT_TRUE(contains_word("f([=] { })", "[=]"));
}

}  // namespace
}  // namespace sidestream::tidy
