#include "cli/arguments.h"

#include <gtest/gtest.h>

#include <array>

namespace sidestream::cli {
namespace {

using Takes = OptionForm::Takes;
constexpr std::array forms{OptionForm{"--json"}, OptionForm{"--config", Takes::value, "FILE"},
                           OptionForm{"--allow", Takes::values, "ENDPOINT"}};

std::expected<Arguments, std::string> take(std::vector<std::string_view> arguments) {
  return take_apart(arguments, forms, 1);
}

std::string error(std::vector<std::string_view> arguments) {
  const auto taken = take(std::move(arguments));
  return taken ? "" : taken.error();
}

TEST(Arguments, AreTakenApart) {
  const auto taken =
      take({"home", "--json", "--config", "a.yaml", "--allow", "a", "b", "--allow=c"});
  ASSERT_TRUE(taken) << taken.error();
  EXPECT_EQ(taken->names, std::vector<std::string>{"home"});
  EXPECT_TRUE(taken->has("--json"));
  EXPECT_EQ(taken->value("--config"), "a.yaml");
  EXPECT_EQ(taken->options.at("--allow"), (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_EQ(take({"--config=a=b"})->value("--config"), "a=b");
  EXPECT_EQ(take({"--", "--json"})->names, std::vector<std::string>{"--json"});
  EXPECT_EQ(take({"-"})->names, std::vector<std::string>{"-"});
  EXPECT_FALSE(take({})->value("--config"));
}

TEST(Arguments, HelpWinsOverErrors) {
  EXPECT_TRUE(take({"-h"})->help);
  EXPECT_TRUE(take({"--nonsense", "--help", "a", "b"})->help);
}

TEST(Arguments, SayWhatIsWrong) {
  EXPECT_EQ(error({"a", "b"}), "unexpected argument \"b\"");
  EXPECT_EQ(error({"--", "a", "b"}), "unexpected argument \"b\"");
  EXPECT_EQ(error({"--jsno"}), "unknown option \"--jsno\" (did you mean \"--json\"?)");
  EXPECT_EQ(error({"-x"}), "unknown option \"-x\"");
  EXPECT_EQ(error({"--conf=x"}), "unknown option \"--conf\" (did you mean \"--config\"?)");
  EXPECT_EQ(error({"--json=yes"}), "--json takes no value");
  EXPECT_EQ(error({"--config"}), "--config needs a value: --config FILE");
  EXPECT_EQ(error({"--config", "--json"}), "--config needs a value: --config FILE");
  EXPECT_EQ(error({"--config="}), "--config needs a value: --config FILE");
  EXPECT_EQ(error({"--config", ""}), "--config needs a value: --config FILE");
  EXPECT_EQ(error({"--allow"}), "--allow needs a value: --allow ENDPOINT");
  EXPECT_EQ(error({"--allow", "a", "--allow"}), "--allow needs a value: --allow ENDPOINT");
  EXPECT_EQ(error({"--config", "a", "--config", "b"}), "--config is given twice");
  EXPECT_EQ(error({"--json", "--json"}), "--json is given twice");
}

TEST(Arguments, KeepTicketsOffTheCommandLine) {
  EXPECT_EQ(error({"a", "ss1_AQBzKAIP"}),
            "a ticket on the command line can be seen by everyone on this machine; put it into "
            "SIDESTREAM_TICKET or a file");
}

}  // namespace
}  // namespace sidestream::cli
