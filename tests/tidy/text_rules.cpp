#include "tests/tidy/text_rules.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <set>

namespace sidestream::tidy {
namespace {

enum class Where { everywhere, product, headers };

struct BannedCall {
  std::string_view word;
  Where where;
  std::string_view instead;
};

constexpr std::array<BannedCall, 28> banned_calls = {{
    {"asio::detached", Where::everywhere, "spawn through a TaskGroup"},
    {"shared_from_this", Where::everywhere, "one owner each"},
    {"enable_shared_from_this", Where::everywhere, "one owner each"},
    {"[=]", Where::everywhere, "name what is captured"},
    {"awaitable_operators", Where::everywhere, "use both and first_of"},
    {"using namespace", Where::headers, "name what is used"},
    {"this_thread", Where::everywhere, "wait on Timers, in tests on a virtual clock"},
    {"usleep", Where::everywhere, "wait on Timers, in tests on a virtual clock"},
    {"nanosleep", Where::everywhere, "wait on Timers, in tests on a virtual clock"},
    {"std::thread", Where::product, "one thread per io_context"},
    {"std::async", Where::everywhere, "spawn through a TaskGroup"},
    {"strcpy", Where::everywhere, "std::string or std::span"},
    {"strcat", Where::everywhere, "std::string or std::span"},
    {"sprintf", Where::everywhere, "std::string or std::to_chars"},
    {"gets", Where::everywhere, "std::string or std::span"},
    {"strtok", Where::everywhere, "std::string_view"},
    {"atoi", Where::everywhere, "std::from_chars"},
    {"stoi", Where::product, "std::from_chars"},
    {"strtol", Where::product, "std::from_chars"},
    {"rand", Where::everywhere, "a RandomSource"},
    {"srand", Where::everywhere, "a RandomSource"},
    {"system", Where::product, "no shell"},
    {"popen", Where::product, "no shell"},
    {"alloca", Where::everywhere, "std::array"},
    {"setjmp", Where::everywhere, "std::expected"},
    {"new", Where::product, "std::make_unique"},
    {"std::cout", Where::product, "the log, or cli/"},
    {"std::cerr", Where::product, "the log, or cli/"},
}};

constexpr std::array<std::string_view, 9> banned_names = {
    "util", "utils", "common", "helper", "helpers", "manager", "misc", "impl", "handler"};
// Banned as the last word of a longer name. Alone, `data()` is what the standard library calls it
// and `info` is a level of the log; in front it says something, as in WireGuard's data messages.
constexpr std::array<std::string_view, 3> banned_endings = {"data", "base", "info"};

bool applies(const BannedCall& call, const SourceFile& file) {
  switch (call.where) {
    case Where::everywhere:
      return true;
    case Where::product:
      return file.is_product();
    case Where::headers:
      return file.extension() == ".h";
  }
  return true;
}

bool allowed(const BannedCall& call, const SourceFile& file, const std::string& line) {
  if (file.folder() == "cli" && call.word.starts_with("std::c")) return true;
  // Placement new into memory that is owned already, and <new>.
  if (call.word == "new") return line.find("new (") != std::string::npos || line.starts_with("#");
  // A function of ours with such a name, called with its scope, is not the one of C.
  if (call.word == "system" || call.word == "rand")
    return line.find(std::string(call.word) + "(") == std::string::npos;
  // The system's resolver blocks, and nothing may wait for it.
  if (call.word == "std::thread") return file.path() == "streams/name_lookup_io.cpp";
  if (call.word == "using namespace") return line.ends_with("_literals;");
  // The system's resolver waits, so it gets threads of its own.
  if (call.word == "std::thread") return file.path() == "streams/name_lookup_io.cpp";
  return false;
}

// A lambda that captures and is a coroutine: what it captured is gone when it resumes.
bool has_capturing_coroutine(std::string_view line) {
  for (const std::string_view type :
       {"-> Task<", "-> asio::awaitable<", "-> boost::asio::awaita"}) {
    const std::size_t arrow = line.find(type);
    if (arrow == std::string_view::npos) continue;
    const std::size_t close = line.substr(0, arrow).find("](");
    if (close == std::string_view::npos) continue;
    const std::size_t open = line.substr(0, close).rfind('[');
    if (open != std::string_view::npos && close > open + 1) return true;
  }
  return false;
}

bool is_comment(const SourceFile& file, std::size_t index) {
  return file.lines()[index].find("//") != std::string::npos;
}

std::string lower(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(), [](unsigned char c) { return std::tolower(c); });
  return result;
}

// `PeerStatus` → peer, status; `peer_status` → peer, status.
std::vector<std::string> parts_of(std::string_view identifier) {
  std::vector<std::string> parts(1);
  for (std::size_t i = 0; i < identifier.size(); ++i) {
    const char c = identifier[i];
    const bool hump = i > 0 && std::isupper(static_cast<unsigned char>(c)) != 0 &&
                      std::islower(static_cast<unsigned char>(identifier[i - 1])) != 0;
    if (c == '_' || hump) parts.emplace_back();
    if (c != '_') parts.back() += lower(std::string_view(&c, 1));
  }
  std::erase(parts, "");  // private members end in `_`
  return parts;
}

std::optional<std::string> banned_part(std::string_view identifier) {
  const auto parts = parts_of(identifier);
  for (const std::string& part : parts)
    if (std::ranges::find(banned_names, part) != banned_names.end()) return part;
  if (parts.size() < 2) return std::nullopt;
  const bool ending = std::ranges::find(banned_endings, parts.back()) != banned_endings.end();
  return ending ? std::optional(parts.back()) : std::nullopt;
}

bool is_identifier(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

// `EVP_…` and `crypto_…`: libraries without namespaces.
bool is_library_name(const std::string& word) {
  const std::string prefix = word.substr(0, word.find('_'));
  if (prefix == "crypto" || prefix == "sodium") return true;
  return prefix.size() < word.size() && !prefix.empty() &&
         std::ranges::none_of(prefix, [](unsigned char c) { return std::islower(c) != 0; });
}

// Identifiers of a line that are ours to choose: not members and names of other libraries (after
// `.`, `->`, `::`), not macros (upper case) and not what a library writes with a capital prefix.
std::vector<std::string> own_identifiers(const std::string& line) {
  std::vector<std::string> found;
  if (line.starts_with("#")) return found;
  for (std::size_t at = 0; at < line.size();) {
    if (!is_identifier(line[at])) {
      ++at;
      continue;
    }
    std::size_t end = at;
    while (end < line.size() && is_identifier(line[end])) ++end;
    const std::string word = line.substr(at, end - at);
    const std::string before = line.substr(0, at);
    const bool macro =
        std::ranges::none_of(word, [](unsigned char c) { return std::islower(c) != 0; });
    const bool foreign =
        macro || before.ends_with(".") || before.ends_with("->") || before.ends_with("::");
    if (!foreign && !is_library_name(word)) found.push_back(word);
    at = end;
  }
  return found;
}

std::size_t columns(std::string_view line) {
  return static_cast<std::size_t>(
      std::ranges::count_if(line, [](char c) { return (c & 0xC0) != 0x80; }));
}

bool is_ours_to_measure(const SourceFile& file) {
  return file.is_cpp() || file.extension() == ".cmake" || file.path().ends_with("CMakeLists.txt") ||
         file.folder() == "dev" || file.folder() == ".ci";
}

bool is_vector_or_corpus(const SourceFile& file) {
  return file.path().starts_with("tests/vectors/") || file.path().starts_with("tests/fuzz/corpus/");
}

}  // namespace

Findings check_calls(const SourceTree& tree) {
  Findings findings;
  for (const auto& [path, file] : tree.files()) {
    for (std::size_t i = 0; i < file.code().size(); ++i) {
      const std::string& line = file.code()[i];
      for (const BannedCall& call : banned_calls)
        if (applies(call, file) && contains_word(line, call.word) && !allowed(call, file, line))
          findings.push_back(finding(
              file, i + 1, std::string(call.word) + " is banned: " + std::string(call.instead)));
      if (has_capturing_coroutine(line))
        findings.push_back(finding(file, i + 1, "a coroutine may not be a lambda that captures"));
      const bool shared = file.is_product() && contains_word(line, "shared_ptr");
      if (shared && !is_comment(file, i) && (i == 0 || !is_comment(file, i - 1)))
        findings.push_back(finding(file, i + 1, "a shared_ptr has a comment that says why"));
    }
  }
  return findings;
}

Findings check_names(const SourceTree& tree) {
  Findings findings;
  for (const auto& [path, file] : tree.files()) {
    if (!file.is_cpp() && file.extension() != ".py") continue;
    std::string name = path.substr(0, path.rfind('.'));
    std::ranges::replace(name, '/', '_');
    if (const auto part = banned_part(name))
      findings.push_back(finding(file, 0, "a file name may not say '" + *part + "'"));
    std::set<std::string> seen;
    for (std::size_t i = 0; i < file.code().size(); ++i)
      for (const std::string& word : own_identifiers(file.code()[i]))
        if (const auto part = banned_part(word); part && seen.insert(word).second)
          findings.push_back(finding(file, i + 1, word + ": a name may not say '" + *part + "'"));
  }
  return findings;
}

Findings check_sizes(const SourceTree& tree) {
  Findings findings;
  for (const auto& [path, file] : tree.files()) {
    if (!is_ours_to_measure(file)) continue;
    if (file.lines().size() > file_lines_max)
      findings.push_back(finding(file, 0,
                                 std::to_string(file.lines().size()) + " lines; look for the " +
                                     "second noun and cut there (at most 400)"));
    for (std::size_t i = 0; i < file.lines().size(); ++i)
      if (columns(file.lines()[i]) > line_columns_max)
        findings.push_back(finding(file, i + 1, "longer than 100 columns"));
  }
  return findings;
}

Findings check_whitespace(const SourceTree& tree) {
  Findings findings;
  for (const auto& [path, file] : tree.files()) {
    if (is_vector_or_corpus(file) || file.text().empty() || file.path() == "LICENSE") continue;
    if (!file.text().ends_with('\n')) findings.push_back(finding(file, 0, "ends without newline"));
    for (std::size_t i = 0; i < file.lines().size(); ++i) {
      const std::string& line = file.lines()[i];
      if (line.ends_with(' ') || line.ends_with('\r') || line.find('\t') != std::string::npos)
        findings.push_back(finding(file, i + 1, "a tab, or a blank at the end of the line"));
    }
  }
  return findings;
}

Findings check_leftovers(const SourceTree& tree) {
  // Put together here, so that this file does not contain them.
  const std::array<std::string, 4> notes = {std::string("TO") + "DO", std::string("FIX") + "ME",
                                            std::string("X") + "XX", std::string("HA") + "CK"};
  const std::array<std::string, 5> places = {
      std::string("/work") + "/", std::string("/ro") + "ot/", std::string("../sha") + "red",
      std::string("/tmp/te") + "am", std::string("issues ") + "show"};
  Findings findings;
  for (const auto& [path, file] : tree.files()) {
    if (is_vector_or_corpus(file)) continue;
    for (std::size_t i = 0; i < file.lines().size(); ++i) {
      for (const std::string& note : notes)
        if (contains_word(file.lines()[i], note))
          findings.push_back(finding(file, i + 1, note + ": do it, or write an issue"));
      for (const std::string& place : places)
        if (file.lines()[i].find(place) != std::string::npos)
          findings.push_back(finding(file, i + 1, place + " is a path of one machine"));
    }
  }
  return findings;
}

}  // namespace sidestream::tidy
