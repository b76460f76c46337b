#include "tests/tidy/completeness_rules.h"

#include <algorithm>
#include <array>

namespace sidestream::tidy {
namespace {

constexpr std::size_t fuzz_code_lines_max = 20;

constexpr std::array<std::string_view, 13> folders = {
    "streams/", "tunnel/",  "control/", "edge/", "sidecar/", "cli/", "tests/",
    "bench/",   "compose/", "docs/",    "dev/",  "cmake/",   ".ci/"};

// Declarations that make a header the header of a parser: bytes or text from outside go in.
constexpr std::array<std::string_view, 4> parser_words = {"feed(", "parse(", "parse_",
                                                          "open_text("};

bool declares_parser(const SourceFile& file) {
  return std::ranges::any_of(file.code(), [](const std::string& line) {
    return std::ranges::any_of(parser_words, [&](std::string_view word) {
      const std::size_t at = line.find(word);
      if (at == std::string::npos || at == 0) return false;
      return line[at - 1] == ' ' && line.find("return") == std::string::npos;
    });
  });
}

bool is_fuzz_target(const SourceFile& file) {
  return file.path().starts_with("tests/fuzz/") && file.path().ends_with("_fuzz.cpp");
}

std::size_t code_lines(const SourceFile& file) {
  return static_cast<std::size_t>(std::ranges::count_if(file.code(), [](const std::string& line) {
    return line.find_first_not_of(' ') != std::string::npos && !line.starts_with("#include");
  }));
}

bool mentioned_in_tests(const SourceTree& tree, const std::string& path) {
  const std::string folder = path.substr(0, path.rfind('/'));
  return std::ranges::any_of(tree.files(), [&](const auto& entry) {
    const SourceFile& file = entry.second;
    if (file.folder() != "tests" || !(file.is_cpp() || file.extension() == ".py")) return false;
    return file.text().find(path) != std::string::npos ||
           file.text().find("\"" + folder) != std::string::npos ||
           file.text().find("/" + folder + "\"") != std::string::npos;
  });
}

bool is_example(const SourceFile& file) {
  const bool place = file.folder() == "docs" || file.folder() == "compose";
  const std::string name = file.stem();
  return place && file.extension() == ".yaml" &&
         (name.starts_with("edge") || name.starts_with("sidecar"));
}

// The texts between `open` and `close` in a line, such as links and words in backquotes.
std::vector<std::string> between(const std::string& line, std::string_view open, char close) {
  std::vector<std::string> found;
  for (std::size_t at = line.find(open); at != std::string::npos; at = line.find(open, at)) {
    const std::size_t begin = at + open.size();
    const std::size_t end = line.find(close, begin);
    if (end == std::string::npos) break;
    found.push_back(line.substr(begin, end - begin));
    at = end + 1;
  }
  return found;
}

bool names_file(const std::string& word) {
  return word.find_first_of(" <>$…*=") == std::string::npos &&
         std::ranges::any_of(folders, [&](auto folder) { return word.starts_with(folder); });
}

// `a/b.{h,cpp}` names two files.
std::vector<std::string> expand(const std::string& word) {
  const std::size_t open = word.find('{');
  const std::size_t close = word.find('}');
  if (open == std::string::npos || close == std::string::npos || close < open) return {word};
  std::vector<std::string> all;
  std::size_t begin = open + 1;
  while (begin <= close) {
    const std::size_t end = std::min(close, word.find(',', begin));
    all.push_back(word.substr(0, open) + word.substr(begin, end - begin) + word.substr(close + 1));
    begin = end + 1;
  }
  return all;
}

void check_words(const SourceTree& tree, const SourceFile& file, std::size_t index,
                 Findings& findings) {
  for (const std::string& word : between(file.lines()[index], "`", '`')) {
    if (!names_file(word)) continue;
    for (const std::string& path : expand(word))
      if (!tree.exists(path))
        findings.push_back(finding(file, index + 1, path + " does not exist"));
  }
}

void check_links(const SourceTree& tree, const SourceFile& file, std::size_t index,
                 Findings& findings) {
  for (std::string link : between(file.lines()[index], "](", ')')) {
    if (link.find("://") != std::string::npos || link.starts_with("mailto:")) continue;
    link = link.substr(0, link.find('#'));
    if (link.empty()) continue;
    const auto folder = std::filesystem::path(file.path()).parent_path();
    const std::string path = (folder / link).lexically_normal().generic_string();
    if (!tree.exists(path))
      findings.push_back(finding(file, index + 1, "the link to " + link + " leads nowhere"));
  }
}

}  // namespace

Findings check_tests_exist(const SourceTree& tree) {
  Findings findings;
  for (const auto& [path, file] : tree.files()) {
    if (!file.is_core() || file.extension() != ".cpp") continue;
    const std::string test = "tests/" + path.substr(0, path.size() - 4) + "_test.cpp";
    if (!tree.exists(test)) findings.push_back(finding(file, 0, "has no test " + test));
  }
  return findings;
}

Findings check_fuzz_targets(const SourceTree& tree) {
  Findings findings;
  const SourceFile* list = tree.find("tests/fuzz/CMakeLists.txt");
  std::vector<std::string> fuzzed;
  for (const auto& [path, file] : tree.files()) {
    if (!is_fuzz_target(file)) continue;
    for (const Include& include : file.includes()) fuzzed.push_back(include.path);
    const std::string name = file.stem().substr(0, file.stem().size() - 5);
    if (code_lines(file) > fuzz_code_lines_max)
      findings.push_back(finding(file, 0, "a fuzz target has at most 20 lines"));
    if (!tree.exists("tests/fuzz/corpus/" + name))
      findings.push_back(finding(file, 0, "has no corpus tests/fuzz/corpus/" + name));
    if (list == nullptr ||
        list->text().find("sidestream_fuzz_target(" + name + " ") == std::string::npos)
      findings.push_back(finding(file, 0, "is not listed in tests/fuzz/CMakeLists.txt"));
  }
  for (const auto& [path, file] : tree.files()) {
    if (!file.is_core() || file.extension() != ".h" || !declares_parser(file)) continue;
    if (std::ranges::find(fuzzed, path) == fuzzed.end())
      findings.push_back(finding(file, 0, "parses, but no fuzz target includes it"));
  }
  return findings;
}

Findings check_sources_listed(const SourceTree& tree) {
  Findings findings;
  for (const auto& [path, file] : tree.files()) {
    if (file.extension() != ".cpp") continue;
    std::string folder = path.substr(0, path.rfind('/'));
    const SourceFile* list = tree.find(folder + "/CMakeLists.txt");
    while (list == nullptr && folder.find('/') != std::string::npos) {
      folder = folder.substr(0, folder.rfind('/'));
      list = tree.find(folder + "/CMakeLists.txt");
    }
    if (list == nullptr) {
      findings.push_back(finding(file, 0, "no CMakeLists.txt builds it"));
      continue;
    }
    const std::string name = path.substr(folder.size() + 1);
    const std::string target =
        name.ends_with("_fuzz.cpp") ? "(" + name.substr(0, name.size() - 9) + " " : name;
    if (list->text().find(target) == std::string::npos)
      findings.push_back(finding(file, 0, "is not listed in " + list->path()));
  }
  return findings;
}

Findings check_examples(const SourceTree& tree) {
  Findings findings;
  for (const auto& [path, file] : tree.files())
    if (is_example(file) && !mentioned_in_tests(tree, path))
      findings.push_back(finding(file, 0, "no test loads this example"));
  return findings;
}

Findings check_documents(const SourceTree& tree) {
  Findings findings;
  for (const auto& [path, file] : tree.files()) {
    // The changelog and the decisions speak of their time.
    if (file.extension() != ".md" || file.path() == "CHANGELOG.md") continue;
    for (std::size_t i = 0; i < file.lines().size(); ++i) {
      if (!file.path().starts_with("docs/decisions/")) check_words(tree, file, i, findings);
      check_links(tree, file, i, findings);
    }
  }
  return findings;
}

Findings check_scripts(const SourceTree& tree) {
  Findings findings;
  for (const auto& [path, file] : tree.files()) {
    const bool script = file.folder() == "dev" || file.folder() == ".ci";
    if (!script || file.lines().empty()) continue;
    const std::string& first = file.lines().front();
    if (!first.starts_with("#!")) findings.push_back(finding(file, 1, "begins with #!"));
    if (first.ends_with("bash") && file.text().find("\nset -euo pipefail\n") == std::string::npos)
      findings.push_back(finding(file, 0, "a bash script has set -euo pipefail"));
    if (file.folder() == "dev" && file.text().find("usage: " + path) == std::string::npos)
      findings.push_back(finding(file, 0, "says how it is used: usage: " + path));
  }
  return findings;
}

}  // namespace sidestream::tidy
