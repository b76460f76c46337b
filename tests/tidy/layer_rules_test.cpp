#include "tests/tidy/layer_rules.h"

#include <gmock/gmock.h>

namespace sidestream::tidy {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

SourceTree tree_of(const std::string& path, const std::string& text) {
  SourceTree tree;
  tree.add(path, text);
  return tree;
}

TEST(LayerRules, IncludesGoDownOnly) {
  EXPECT_THAT(check_layers(tree_of("streams/a.h", "#include \"tunnel/b.h\"\n")),
              ElementsAre(HasSubstr("streams/a.h:1: streams/ may not include tunnel/b.h")));
  EXPECT_THAT(check_layers(tree_of("edge/a.h", "#include \"sidecar/b.h\"\n")),
              ElementsAre(HasSubstr("edge/ may not include sidecar/b.h")));
  EXPECT_THAT(check_layers(tree_of("sidecar/a_io.h", "\n#include \"edge/b.h\"\n")),
              ElementsAre(HasSubstr("sidecar/a_io.h:2")));
  EXPECT_THAT(check_layers(tree_of("tunnel/a.h", "#include \"control/b.h\"\n")),
              ElementsAre(HasSubstr("tunnel/ may not include")));
  EXPECT_THAT(check_layers(tree_of("edge/a.h", "#include \"tests/b.h\"\n")),
              ElementsAre(HasSubstr("tests/b.h")));
  EXPECT_THAT(check_layers(tree_of("cli/main.cpp", "#include \"edge/b.h\"\n")), IsEmpty());
  EXPECT_THAT(check_layers(tree_of("control/a.h", "#include \"tunnel/b.h\"\n")), IsEmpty());
  EXPECT_THAT(check_layers(tree_of("tests/edge/a.cpp", "#include \"sidecar/b.h\"\n")), IsEmpty());
}

TEST(LayerRules, CoresDoNotTouchTheWorld) {
  for (const char* header :
       {"<boost/asio/awaitable.hpp>", "<sys/socket.h>", "<unistd.h>", "<fstream>", "<thread>",
        "<random>", "<filesystem>", "\"streams/stream_io.h\""}) {
    const std::string text = "#include " + std::string(header) + "\n";
    EXPECT_EQ(check_cores(tree_of("tunnel/noise.cpp", text)).size(), 1U) << header;
    EXPECT_THAT(check_cores(tree_of("tunnel/noise_io.cpp", text)), IsEmpty()) << header;
    EXPECT_THAT(check_cores(tree_of("tests/tunnel/noise_test.cpp", text)), IsEmpty()) << header;
  }
  EXPECT_THAT(check_cores(tree_of("edge/a.cpp", "auto t = std::chrono::steady_clock::now();\n")),
              ElementsAre(HasSubstr("edge/a.cpp:1: a core may not call steady_clock::now")));
  EXPECT_THAT(check_cores(tree_of("edge/a.cpp", "#include <chrono>\n// steady_clock::now\n")),
              IsEmpty());
}

TEST(LayerRules, LibrariesHaveDoors) {
  EXPECT_THAT(check_doors(tree_of("edge/a_io.cpp", "#include <yaml-cpp/yaml.h>\n")),
              ElementsAre(HasSubstr("not a door of yaml-cpp")));
  EXPECT_THAT(check_doors(tree_of("edge/a.cpp", "#include <openssl/ssl.h>\n")),
              ElementsAre(HasSubstr("not a door of openssl")));
  EXPECT_THAT(check_doors(tree_of("edge/a.cpp", "#include <sodium.h>\n")),
              ElementsAre(HasSubstr("not a door of sodium")));
  EXPECT_THAT(check_doors(tree_of("edge/a.cpp", "#include <boost/asio/ip/tcp.hpp>\n")),
              ElementsAre(HasSubstr("not a door of boost/asio")));
  EXPECT_THAT(check_doors(tree_of("edge/a_io.cpp", "#include <boost/asio/ip/tcp.hpp>\n")),
              IsEmpty());
  EXPECT_THAT(check_doors(tree_of("streams/tls_server_io.cpp", "#include <openssl/ssl.h>\n")),
              IsEmpty());
}

TEST(LayerRules, HeadersComeFirstAndOnce) {
  SourceTree tree;
  tree.add("edge/a.h", "// Contract.\n#pragma once\n");
  tree.add("edge/a.cpp", "#include <vector>\n\n#include \"edge/a.h\"\n");
  EXPECT_THAT(check_headers(tree), ElementsAre(HasSubstr("includes its own header first")));
  EXPECT_THAT(check_headers(tree_of("edge/b.h", "int b;\n")), ElementsAre(HasSubstr("#pragma")));
  EXPECT_THAT(check_headers(tree_of("edge/main.cpp", "#include <vector>\n")), IsEmpty());
}

}  // namespace
}  // namespace sidestream::tidy
