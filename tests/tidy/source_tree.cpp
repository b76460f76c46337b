#include "tests/tidy/source_tree.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>
#include <sstream>

namespace sidestream::tidy {
namespace {

constexpr std::array product_folders = {"streams", "tunnel",  "control", "tailnet",
                                        "edge",    "sidecar", "cli"};

bool is_word_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

std::vector<std::string> split_lines(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

// Where the text constant that begins at `start` (a quote) ends, one past its last quote.
std::size_t end_of_text(const std::string& text, std::size_t start) {
  const bool raw = start > 0 && text[start - 1] == 'R' && text[start] == '"';
  if (raw) {
    const std::size_t open = text.find('(', start);
    if (open == std::string::npos) return text.size();
    const std::string close = ")" + text.substr(start + 1, open - start - 1) + "\"";
    const std::size_t end = text.find(close, open);
    return end == std::string::npos ? text.size() : end + close.size();
  }
  for (std::size_t at = start + 1; at < text.size() && text[at] != '\n'; ++at) {
    if (text[at] == '\\') {
      ++at;
    } else if (text[at] == text[start]) {
      return at + 1;
    }
  }
  return std::min(text.size(), text.find('\n', start));
}

std::size_t end_of_comment(const std::string& text, std::size_t start) {
  if (text[start + 1] == '/') return std::min(text.size(), text.find('\n', start));
  const std::size_t end = text.find("*/", start + 2);
  return end == std::string::npos ? text.size() : end + 2;
}

bool starts_comment(const std::string& text, std::size_t at) {
  return text[at] == '/' && at + 1 < text.size() && (text[at + 1] == '/' || text[at + 1] == '*');
}

bool starts_text(const std::string& text, std::size_t at) {
  const bool digit_separator = text[at] == '\'' && at > 0 && is_word_character(text[at - 1]);
  return text[at] == '"' || (text[at] == '\'' && !digit_separator);
}

void blank(std::string& text, std::size_t begin, std::size_t end) {
  for (std::size_t at = begin; at < end; ++at)
    if (text[at] != '\n') text[at] = ' ';
}

std::string without_comments_and_texts(std::string text) {
  std::size_t at = 0;
  while (at < text.size()) {
    if (starts_comment(text, at)) {
      const std::size_t end = end_of_comment(text, at);
      blank(text, at, end);
      at = end;
    } else if (starts_text(text, at)) {
      const std::size_t end = end_of_text(text, at);
      blank(text, at + 1, end - 1);  // the quotes stay
      at = end;
    } else {
      ++at;
    }
  }
  return text;
}

std::vector<Include> find_includes(const std::vector<std::string>& lines) {
  std::vector<Include> includes;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const std::string& line = lines[i];
    if (!line.starts_with("#include ")) continue;
    const std::size_t open = line.find_first_of("\"<");
    if (open == std::string::npos) continue;
    const bool quoted = line[open] == '"';
    const std::size_t close = line.find(quoted ? '"' : '>', open + 1);
    if (close == std::string::npos) continue;
    includes.push_back({i + 1, line.substr(open + 1, close - open - 1), quoted});
  }
  return includes;
}

bool is_skipped_folder(const std::string& name) {
  return name == "build" || name == ".git" || name == ".cache" || name == "__pycache__";
}

}  // namespace

SourceFile::SourceFile(std::string path, std::string text)
    : path_(std::move(path)), text_(std::move(text)), lines_(split_lines(text_)) {
  if (!is_cpp()) return;
  code_ = split_lines(without_comments_and_texts(text_));
  includes_ = find_includes(lines_);
}

std::string SourceFile::folder() const {
  const std::size_t slash = path_.find('/');
  return slash == std::string::npos ? "" : path_.substr(0, slash);
}

std::string SourceFile::stem() const {
  return std::filesystem::path(path_).stem().string();
}

std::string SourceFile::extension() const {
  return std::filesystem::path(path_).extension().string();
}

bool SourceFile::is_cpp() const {
  return path_.ends_with(".h") || path_.ends_with(".cpp");
}

bool SourceFile::is_product() const {
  return is_cpp() && std::ranges::find(product_folders, folder()) != product_folders.end();
}

bool SourceFile::touches_world() const {
  return stem().ends_with("_io") || stem() == "main";
}

SourceTree SourceTree::read(const std::filesystem::path& root) {
  SourceTree tree;
  auto walk = std::filesystem::recursive_directory_iterator(root);
  for (auto entry = begin(walk); entry != end(walk); ++entry) {
    if (entry->is_directory()) {
      if (is_skipped_folder(entry->path().filename().string())) entry.disable_recursion_pending();
      continue;
    }
    if (!entry->is_regular_file() || entry->path().filename() == ".git") continue;
    std::ifstream file(entry->path(), std::ios::binary);
    std::string text{std::istreambuf_iterator<char>(file), {}};
    if (text.find('\0') != std::string::npos) text.clear();  // binary: only its name counts
    tree.add(entry->path().lexically_relative(root).generic_string(), std::move(text));
  }
  return tree;
}

void SourceTree::add(std::string path, std::string text) {
  std::string key = path;
  files_.emplace(std::move(key), SourceFile(std::move(path), std::move(text)));
}

const SourceFile* SourceTree::find(const std::string& path) const {
  const auto found = files_.find(path);
  return found == files_.end() ? nullptr : &found->second;
}

bool SourceTree::exists(std::string_view path) const {
  const std::string name(path.ends_with('/') ? path.substr(0, path.size() - 1) : path);
  if (files_.contains(name)) return true;
  const auto next = files_.lower_bound(name + "/");
  return next != files_.end() && next->first.starts_with(name + "/");
}

std::string finding(const SourceFile& file, std::size_t line, std::string_view what) {
  const std::string where = line == 0 ? "" : ":" + std::to_string(line);
  return file.path() + where + ": " + std::string(what);
}

bool contains_word(std::string_view text, std::string_view word) {
  for (std::size_t at = text.find(word); at != std::string_view::npos;
       at = text.find(word, at + 1)) {
    const std::size_t end = at + word.size();
    const bool starts = at == 0 || !is_word_character(text[at - 1]) || !is_word_character(word[0]);
    const bool ends = end == text.size() || !is_word_character(text[end]) ||
                      !is_word_character(word[word.size() - 1]);
    if (starts && ends) return true;
  }
  return false;
}

}  // namespace sidestream::tidy
