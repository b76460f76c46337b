// The files of the project as the rules of the house see them.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace sidestream::tidy {

// What a rule found, each as `PATH:LINE: what is wrong and what is right`.
using Findings = std::vector<std::string>;

struct Include {
  std::size_t line = 0;  // from 1
  std::string path;      // without quotes or brackets
  bool quoted = false;   // "…", one of ours
};

// One text file. `path` is relative to the root and uses '/'.
class SourceFile {
 public:
  SourceFile(std::string path, std::string text);

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] const std::vector<std::string>& lines() const { return lines_; }
  // The same lines with comments, texts and character constants of C++ blanked out.
  [[nodiscard]] const std::vector<std::string>& code() const { return code_; }
  [[nodiscard]] const std::vector<Include>& includes() const { return includes_; }

  [[nodiscard]] std::string folder() const;     // the first part of the path, empty at the root
  [[nodiscard]] std::string stem() const;       // `relay_io` of streams/relay_io.cpp
  [[nodiscard]] std::string extension() const;  // `.cpp`
  [[nodiscard]] bool is_cpp() const;            // .h or .cpp
  [[nodiscard]] bool is_product() const;        // C++ of the program itself, not of its tests
  [[nodiscard]] bool touches_world() const;     // *_io.*, and main.cpp
  [[nodiscard]] bool is_core() const { return is_product() && !touches_world(); }

 private:
  std::string path_;
  std::string text_;
  std::vector<std::string> lines_;
  std::vector<std::string> code_;
  std::vector<Include> includes_;
};

class SourceTree {
 public:
  // Reads every text file below `root` but what is built, hidden tool folders and binary files.
  static SourceTree read(const std::filesystem::path& root);

  void add(std::string path, std::string text);
  [[nodiscard]] const std::map<std::string, SourceFile>& files() const { return files_; }
  [[nodiscard]] const SourceFile* find(const std::string& path) const;
  // Whether a file has that path, or a folder with files in it.
  [[nodiscard]] bool exists(std::string_view path) const;

 private:
  std::map<std::string, SourceFile> files_;
};

// `PATH:LINE: what`; line 0 leaves the line out.
std::string finding(const SourceFile& file, std::size_t line, std::string_view what);

// Whether `word` stands in `text` with no letter, digit or underscore next to it.
bool contains_word(std::string_view text, std::string_view word);

}  // namespace sidestream::tidy
