#include "tests/tidy/text_rules.h"

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

Findings calls_in(const std::string& line) {
  return check_calls(tree_of("edge/a.cpp", line));
}
Findings names_in(const std::string& line) {
  return check_names(tree_of("edge/a.cpp", line));
}

TEST(TextRules, BannedCallsAreFound) {
  for (const char* line :
       {"co_spawn(executor, task(), asio::detached);\n", "auto self = shared_from_this();\n",
        "post([=] { run(); });\n", "using namespace asio::experimental::awaitable_operators;\n",
        "std::thread worker;\n", "std::this_thread::yield();\n", "int n = atoi(text);\n",
        "return rand() % 6;\n", "system(\"ls\");\n", "auto* peer = new Peer;\n",
        "std::cerr << error;\n", "std::shared_ptr<Peer> peer;\n",
        "co_spawn(e, [this]() -> Task<> { co_await run(); });\n",
        "auto f = [&peer](int n) mutable -> asio::awaitable<void> {\n"})
    EXPECT_EQ(calls_in(line).size(), 1U) << line;
}

TEST(TextRules, WhatOnlyLooksBannedIsNot) {
  for (const char* line :
       {"throw boost::system::system_error(error);\n", "int operand = 1;\n",
        "// asio::detached is banned\n", "auto text = \"new\";\n",
        "std::shared_ptr<Peer> peer;  // the log and the tunnel both end after it\n",
        "// Ends with its last stream.\nstd::shared_ptr<Peer> peer;\n",
        "auto f = []() -> Task<> { co_return; };\n", "new (memory) Peer;\n",
        "bool renewed = false;\n", "auto peers = [this](int n) -> std::size_t { return n; };\n"})
    EXPECT_THAT(calls_in(line), IsEmpty()) << line;
  EXPECT_THAT(check_calls(tree_of("cli/a_io.cpp", "std::cout << table;\n")), IsEmpty());
  EXPECT_THAT(check_calls(tree_of("edge/a.cpp", "using namespace std::chrono_literals;\n")),
              IsEmpty());
  EXPECT_THAT(check_calls(tree_of("edge/a.h", "using namespace std::chrono_literals;\n")),
              IsEmpty());
  EXPECT_EQ(check_calls(tree_of("edge/a.h", "using namespace std;\n")).size(), 1U);
}

TEST(TextRules, EmptyNamesAreFound) {
  for (const char* line : {"class PeerManager;\n", "void common_part();\n", "int peer_info = 0;\n",
                           "struct PeerData;\n", "void handler();\n", "class StreamImpl;\n",
                           "class StreamBase;\n", "int peer_data_ = 0;\n"})
    EXPECT_EQ(names_in(line).size(), 1U) << line;
  EXPECT_THAT(check_names(tree_of("edge/stream_helpers.h", "")), ElementsAre(HasSubstr("helpers")));
  EXPECT_THAT(check_names(tree_of("edge/utils/a.h", "")), ElementsAre(HasSubstr("utils")));
}

TEST(TextRules, GoodAndForeignNamesAreNot) {
  for (const char* line :
       {"std::string text = base64(bytes.data());\n", "level = LogLevel::info;\n",
        "EVP_PKEY_set_base_id(key);\n", "freeaddrinfo(list);\n", "message.user_data = 1;\n",
        "#include \"x/common.h\"\n", "database_name = 1;\n", "const std::uint8_t* data() const;\n",
        "SSL_CTX_get_info(context);\n", "send_data_message();\n",
        "crypto_scalarmult_base(a, b);\n"})
    EXPECT_THAT(names_in(line), IsEmpty()) << line;
}

TEST(TextRules, SizesAreMeasured) {
  std::string longest;
  for (std::size_t i = 0; i < file_lines_max; ++i) longest += "\n";
  EXPECT_THAT(check_sizes(tree_of("edge/a.cpp", longest)), IsEmpty());
  EXPECT_THAT(check_sizes(tree_of("edge/a.cpp", longest + "\n")),
              ElementsAre(HasSubstr("401 lines")));
  const std::string line(line_columns_max, 'x');
  EXPECT_THAT(check_sizes(tree_of("edge/a.cpp", line + "\n")), IsEmpty());
  EXPECT_THAT(check_sizes(tree_of("edge/a.cpp", "\n" + line + "x\n")),
              ElementsAre(HasSubstr("edge/a.cpp:2: longer")));
  std::string arrows;
  for (std::size_t i = 0; i < line_columns_max; ++i) arrows += "→";
  EXPECT_THAT(check_sizes(tree_of("edge/a.cpp", arrows + "\n")), IsEmpty());
}

TEST(TextRules, WhitespaceAndLeftoversAreFound) {
  EXPECT_EQ(check_whitespace(tree_of("edge/a.cpp", "int a; \n")).size(), 1U);
  EXPECT_EQ(check_whitespace(tree_of("edge/a.cpp", "\tint a;\n")).size(), 1U);
  EXPECT_EQ(check_whitespace(tree_of("edge/a.cpp", "int a;")).size(), 1U);
  EXPECT_THAT(check_whitespace(tree_of("edge/a.cpp", "int a;\n")), IsEmpty());
  const std::string note = std::string("// TO") + "DO: later\n";
  EXPECT_EQ(check_leftovers(tree_of("edge/a.cpp", note)).size(), 1U);
  const std::string place = "see /work" + std::string("/x\n");
  EXPECT_EQ(check_leftovers(tree_of("README.md", place)).size(), 1U);
  EXPECT_THAT(check_leftovers(tree_of("README.md", "todos are fine, network/ too\n")), IsEmpty());
}

}  // namespace
}  // namespace sidestream::tidy
