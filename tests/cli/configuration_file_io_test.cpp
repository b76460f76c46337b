#include "cli/configuration_file_io.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace sidestream::cli {
namespace {

class ConfigurationFile : public testing::Test {
 protected:
  ConfigurationFile() {
    std::string pattern = std::filesystem::temp_directory_path() / "sidestream-test-XXXXXX";
    folder_ = mkdtemp(pattern.data());
  }
  ~ConfigurationFile() override { std::filesystem::remove_all(folder_); }

  std::string write(const std::string& name, std::string_view content) {
    const std::string path = folder_ + "/" + name;
    std::ofstream(path, std::ios::binary) << content;
    return path;
  }

  std::string folder_;
};

TEST_F(ConfigurationFile, IsReadWhole) {
  const std::string path = write("a.yaml", std::string_view("a\0b\r\n", 5));
  const auto loaded = load_configuration(path, "/nowhere");
  ASSERT_TRUE(loaded && *loaded);
  EXPECT_EQ((*loaded)->name, path);
  EXPECT_EQ((*loaded)->text, std::string_view("a\0b\r\n", 5));
}

TEST_F(ConfigurationFile, MustBeThereWhenItIsNamed) {
  EXPECT_EQ(load_configuration(folder_ + "/none.yaml", "/x").error(),
            "cannot read " + folder_ +
                "/none.yaml: No such file or directory; give a file that can be read with --config "
                "FILE");
  EXPECT_EQ(load_configuration(folder_, "/x").error(),
            "cannot read " + folder_ +
                ": Is a directory; give a file that can be read with --config FILE");
}

TEST_F(ConfigurationFile, MayBeMissingWhereThePackagePutsIt) {
  const auto none = load_configuration(std::nullopt, folder_ + "/none.yaml");
  ASSERT_TRUE(none);
  EXPECT_FALSE(*none);
  const std::string path = write("sidecar.yaml", "x");
  EXPECT_EQ((**load_configuration(std::nullopt, path)).text, "x");
}

TEST_F(ConfigurationFile, IsCutWhereItsReaderWillNotice) {
  const std::string path = write("big.yaml", std::string(3UL << 20U, '#'));
  const auto loaded = load_configuration(path, "");
  EXPECT_EQ((**loaded).text.size(), YamlLimits{}.bytes_max + 1);
  EXPECT_FALSE(parse_yaml((**loaded).text).root);
}

TEST_F(ConfigurationFile, FindsVariablesAndFilesBesideIt) {
  write("secret", "s3cret\n");
  const VariableSources sources = process_variables(ConfigurationText{folder_ + "/a.yaml", ""});
  EXPECT_EQ(sources.file("secret"), "s3cret\n");
  EXPECT_EQ(sources.file(folder_ + "/secret"), "s3cret\n");
  EXPECT_EQ(sources.file("none").error(),
            "cannot read " + folder_ +
                "/none: No such file or directory; is it there, and readable for this user?");
  EXPECT_EQ(sources.secret_file("none").error(), sources.file("none").error());
  ASSERT_EQ(setenv("SIDESTREAM_TEST_VARIABLE", "x", 1), 0);
  EXPECT_EQ(sources.environment("SIDESTREAM_TEST_VARIABLE"), "x");
  EXPECT_EQ(unsetenv("SIDESTREAM_TEST_VARIABLE"), 0);
  EXPECT_EQ(sources.environment("SIDESTREAM_TEST_VARIABLE"), std::nullopt);
}

TEST_F(ConfigurationFile, ASecretThatEveryoneCanReadIsRefused) {
  const std::string path = write("secret", "s3cret\n");
  const VariableSources sources = process_variables(ConfigurationText{folder_ + "/a.yaml", ""});
  for (const unsigned mode : {0400U, 0600U, 0440U, 0640U, 0700U}) {
    std::filesystem::permissions(path, std::filesystem::perms{mode});
    EXPECT_EQ(sources.secret_file("secret"), "s3cret\n") << mode;
  }
  for (const unsigned mode : {0444U, 0604U, 0660U, 0601U, 0602U, 0777U}) {
    std::filesystem::permissions(path, std::filesystem::perms{mode});
    EXPECT_EQ(sources.secret_file("secret").error(),
              path +
                  " may be read by everyone on this machine, or written by a group; if nobody "
                  "else has seen it, run: chmod 600 " +
                  path)
        << mode;
    EXPECT_EQ(sources.file("secret"), "s3cret\n") << "what is no secret";
  }
  // systemd's credentials have the modes that it gives them.
  ASSERT_EQ(setenv("CREDENTIALS_DIRECTORY", folder_.c_str(), 1), 0);
  EXPECT_EQ(sources.secret_file("secret"), "s3cret\n");
  EXPECT_FALSE(sources.secret_file("../" + folder_.substr(folder_.rfind('/') + 1) + "x"));
  EXPECT_EQ(unsetenv("CREDENTIALS_DIRECTORY"), 0);
}

}  // namespace
}  // namespace sidestream::cli
