#include "tests/tidy/completeness_rules.h"

#include <gmock/gmock.h>

namespace sidestream::tidy {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(CompletenessRules, CoresHaveTests) {
  SourceTree tree;
  tree.add("tunnel/noise.cpp", "");
  tree.add("tunnel/udp_io.cpp", "");
  EXPECT_THAT(check_tests_exist(tree),
              ElementsAre(HasSubstr("has no test tests/tunnel/noise_test.cpp")));
  tree.add("tests/tunnel/noise_test.cpp", "");
  EXPECT_THAT(check_tests_exist(tree), IsEmpty());
}

TEST(CompletenessRules, ParsersAreFuzzed) {
  SourceTree tree;
  tree.add("streams/hello.h", "#pragma once\nResult feed(Bytes bytes);\n");
  tree.add("streams/route.h", "#pragma once\n// feed( is only mentioned\nvoid set(int n);\n");
  EXPECT_THAT(check_fuzz_targets(tree), ElementsAre(HasSubstr("streams/hello.h: parses")));
  tree.add("tests/fuzz/hello_fuzz.cpp", "#include \"streams/hello.h\"\n");
  EXPECT_THAT(check_fuzz_targets(tree), ElementsAre(HasSubstr("has no corpus tests/fuzz/corpus/he"),
                                                    HasSubstr("is not listed in")));
  tree.add("tests/fuzz/corpus/hello/one", "");
  tree.add("tests/fuzz/CMakeLists.txt", "sidestream_fuzz_target(hello LIBRARIES x)\n");
  EXPECT_THAT(check_fuzz_targets(tree), IsEmpty());
}

TEST(CompletenessRules, FuzzTargetsAreShort) {
  SourceTree tree;
  std::string text;
  for (int i = 0; i < 21; ++i) text += "int x;\n";
  tree.add("tests/fuzz/hello_fuzz.cpp", text);
  tree.add("tests/fuzz/corpus/hello/one", "");
  tree.add("tests/fuzz/CMakeLists.txt", "sidestream_fuzz_target(hello LIBRARIES x)\n");
  EXPECT_THAT(check_fuzz_targets(tree), ElementsAre(HasSubstr("at most 20 lines")));
}

TEST(CompletenessRules, SourcesAreBuilt) {
  SourceTree tree;
  tree.add("edge/CMakeLists.txt", "add_library(edge STATIC route.cpp)\n");
  tree.add("edge/route.cpp", "");
  tree.add("edge/lease.cpp", "");
  tree.add("bench/speed.cpp", "");
  EXPECT_THAT(check_sources_listed(tree),
              ElementsAre("bench/speed.cpp: no CMakeLists.txt builds it",
                          "edge/lease.cpp: is not listed in edge/CMakeLists.txt"));
}

TEST(CompletenessRules, ExamplesAreLoaded) {
  SourceTree tree;
  tree.add("docs/examples/sidecar.yaml", "");
  EXPECT_THAT(check_examples(tree), ElementsAre(HasSubstr("no test loads this example")));
  tree.add("tests/sidecar/configuration_test.cpp", "load(root + \"/docs/examples\");\n");
  EXPECT_THAT(check_examples(tree), IsEmpty());
}

TEST(CompletenessRules, DocumentsNameWhatExists) {
  SourceTree tree;
  tree.add("edge/route.h", "");
  tree.add("docs/one.md",
           "`edge/route.{h,cpp}` and `edge/route.h` and `edge/*.h` and `no/such` and `edge/`\n"
           "[two](two.md), [up](../edge/route.h#part), [web](https://example.com/x)\n");
  EXPECT_THAT(check_documents(tree),
              ElementsAre("docs/one.md:1: edge/route.cpp does not exist",
                          "docs/one.md:2: the link to two.md leads nowhere"));
}

TEST(CompletenessRules, ScriptsStopAndExplainThemselves) {
  SourceTree tree;
  tree.add("dev/run", "#!/usr/bin/env bash\necho\n");
  EXPECT_THAT(check_scripts(tree),
              ElementsAre(HasSubstr("set -euo pipefail"), HasSubstr("usage: dev/run")));
  SourceTree good;
  good.add("dev/run", "#!/usr/bin/env bash\nset -euo pipefail\necho 'usage: dev/run'\n");
  EXPECT_THAT(check_scripts(good), IsEmpty());
}

}  // namespace
}  // namespace sidestream::tidy
