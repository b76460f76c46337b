// Small files that must survive a power cut and that hold secrets: written whole and atomically,
// readable by their owner only.
#pragma once

#include <cstddef>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace sidestream {

// A folder of such files. Errors are sentences for a person that name the file.
class StateFolder {
 public:
  static constexpr std::size_t file_bytes_max = 16U << 20U;

  // Nothing is touched yet.
  explicit StateFolder(std::string path) : path_(std::move(path)) {}
  StateFolder(const StateFolder&) = default;
  StateFolder& operator=(const StateFolder&) = default;
  virtual ~StateFolder() = default;

  // Makes the folder (mode 0700) and its parents where they are missing, and finds out whether it
  // can be written to.
  [[nodiscard]] std::expected<void, std::string> prepare() const;

  // The whole file; nullopt: there is none. A file that its group or others may read or write is
  // refused, since what is in it may be known to them.
  [[nodiscard]] virtual std::expected<std::optional<std::string>, std::string> read(
      std::string_view name) const;
  // Afterwards either the old content is there or the new one, whatever happens meanwhile: a
  // temporary file beside it is written, synchronised and renamed, and the folder synchronised.
  [[nodiscard]] virtual std::expected<void, std::string> write(std::string_view name,
                                                               std::string_view content) const;

  [[nodiscard]] std::string path_of(std::string_view name) const;

 private:
  std::string path_;
};

// A file that other programs read, made anew from what we know: written whole and atomically, but
// not synchronised, and readable by everyone. Its folder must be there.
class SharedFile {
 public:
  explicit SharedFile(std::string path) : path_(std::move(path)) {}

  // The whole file; nullopt: there is none.
  [[nodiscard]] std::expected<std::optional<std::string>, std::string> read() const;
  [[nodiscard]] std::expected<void, std::string> write(std::string_view content) const;

  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace sidestream
