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
  if (static_cast<std::size_t>(facts.st_size) > file_bytes_max)
    return std::unexpected(path + " is too large to be a state file");
  std::string content(static_cast<std::size_t>(facts.st_size), '\0');
  std::size_t used = 0;
  while (used < content.size()) {
    const ssize_t count = ::read(file.number(), content.data() + used, content.size() - used);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return std::unexpected(failure("read", path));
    if (count == 0) break;
    used += static_cast<std::size_t>(count);
  }
  content.resize(used);
  return content;
}

std::expected<void, std::string> StateFolder::write(std::string_view name,
                                                    std::string_view content) const {
  const std::string path = path_of(name);
  const std::string temporary = path + ".new";
  ::unlink(temporary.c_str());  // of a process that was killed in between
  Descriptor file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!file.is_open()) return std::unexpected(failure("write", temporary));
  const bool written = write_whole(file.number(), content) && ::fsync(file.number()) == 0;
  if (!written || !file.close() || ::rename(temporary.c_str(), path.c_str()) != 0) {
    auto why = failure("write", path);
    ::unlink(temporary.c_str());
    return std::unexpected(std::move(why));
  }
  const Descriptor folder(::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder.is_open()) ::fsync(folder.number());
  return {};
}

}  // namespace sidestream
