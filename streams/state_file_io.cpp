#include "streams/state_file_io.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

namespace sidestream {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int number() const { return number_; }
  [[nodiscard]] bool is_open() const { return number_ >= 0; }
  // Closing is the last chance to hear of a write that failed.
  bool close() { return ::close(std::exchange(number_, -1)) == 0; }

 private:
  int number_;
};

std::string failure(std::string_view what, const std::string& path) {
  return "cannot " + std::string(what) + " " + path + ": " + std::strerror(errno);
}

bool write_whole(int descriptor, std::string_view content) {
  while (!content.empty()) {
    const ssize_t written = ::write(descriptor, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

std::expected<std::optional<std::string>, std::string> read_whole(int descriptor, std::size_t bytes,
                                                                  const std::string& path) {
  if (bytes > StateFolder::file_bytes_max)
    return std::unexpected(path + " is too large to be one of our files");
  std::string content(bytes, '\0');
  std::size_t used = 0;
  while (used < content.size()) {
    const ssize_t count = ::read(descriptor, content.data() + used, content.size() - used);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return std::unexpected(failure("read", path));
    if (count == 0) break;
    used += static_cast<std::size_t>(count);
  }
  content.resize(used);
  return content;
}

std::expected<void, std::string> write_file(const std::string& path, std::string_view content,
                                            mode_t mode, bool sync) {
  const std::string temporary = path + ".new";
  ::unlink(temporary.c_str());  // of a process that was killed in between
  Descriptor file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
  if (!file.is_open()) return std::unexpected(failure("write", temporary));
  // The umask may have taken away what others need.
  const bool written = ::fchmod(file.number(), mode) == 0 && write_whole(file.number(), content) &&
                       (!sync || ::fsync(file.number()) == 0);
  if (!written || !file.close() || ::rename(temporary.c_str(), path.c_str()) != 0) {
    auto why = failure("write", path);
    ::unlink(temporary.c_str());
    return std::unexpected(std::move(why));
  }
  if (!sync) return {};
  const std::string parent = std::filesystem::path(path).parent_path().string();
  const Descriptor folder(::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder.is_open()) ::fsync(folder.number());
  return {};
}

}  // namespace

std::string StateFolder::path_of(std::string_view name) const {
  return path_ + "/" + std::string(name);
}

std::expected<void, std::string> StateFolder::prepare() const {
  std::error_code error;
  if (!std::filesystem::is_directory(path_, error)) {
    const std::filesystem::path parent = std::filesystem::path(path_).parent_path();
    if (!parent.empty()) std::filesystem::create_directories(parent, error);
    if (::mkdir(path_.c_str(), 0700) != 0 && errno != EEXIST)
      return std::unexpected(failure("make the folder", path_));
  }
  if (::access(path_.c_str(), R_OK | W_OK | X_OK) != 0)
    return std::unexpected(failure("use the folder", path_));
  return {};
}

std::expected<std::optional<std::string>, std::string> StateFolder::read(
    std::string_view name) const {
  const std::string path = path_of(name);
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!file.is_open()) {
    if (errno == ENOENT) return std::nullopt;
    return std::unexpected(failure("read", path));
  }
  struct stat facts{};
  if (::fstat(file.number(), &facts) != 0) return std::unexpected(failure("read", path));
  if (!S_ISREG(facts.st_mode)) return std::unexpected(path + " is not a file");
  if ((facts.st_mode & 077U) != 0)
    return std::unexpected(path +
                           " may be read or written by others than its owner; if nobody "
                           "else has seen it, run: chmod 600 " +
                           path);
  return read_whole(file.number(), static_cast<std::size_t>(facts.st_size), path);
}

std::expected<void, std::string> StateFolder::write(std::string_view name,
                                                    std::string_view content) const {
  return write_file(path_of(name), content, 0600, true);
}

std::expected<std::optional<std::string>, std::string> SharedFile::read() const {
  const Descriptor file(::open(path_.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.is_open()) {
    if (errno == ENOENT) return std::nullopt;
    return std::unexpected(failure("read", path_));
  }
  struct stat facts{};
  if (::fstat(file.number(), &facts) != 0) return std::unexpected(failure("read", path_));
  if (!S_ISREG(facts.st_mode)) return std::unexpected(path_ + " is not a file");
  return read_whole(file.number(), static_cast<std::size_t>(facts.st_size), path_);
}

std::expected<void, std::string> SharedFile::write(std::string_view content) const {
  return write_file(path_, content, 0644, false);
}

}  // namespace sidestream
