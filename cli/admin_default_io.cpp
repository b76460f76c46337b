#include "cli/admin_default_io.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <optional>

namespace sidestream::cli {
namespace {

namespace fs = std::filesystem;

std::optional<std::string> socket_of_user() {
  const char* folder = std::getenv("XDG_RUNTIME_DIR");
  if (folder == nullptr || folder[0] != '/') return std::nullopt;
  return (fs::path(folder) / "sidestream" / "admin.sock").string();
}

bool is_writable(const fs::path& folder) {
  return ::access(folder.c_str(), W_OK | X_OK) == 0;
}

}  // namespace

std::string admin_socket_to_make() {
  const fs::path usual(control::admin_socket_default);
  std::error_code ignored;
  const fs::path folder = usual.parent_path();
  const bool usable = is_writable(fs::exists(folder, ignored) ? folder : folder.parent_path());
  return usable ? usual.string() : socket_of_user().value_or(usual.string());
}

std::string admin_socket_of(const control::ProgramConfiguration& configuration) {
  return configuration.has_admin ? configuration.admin.unix_path : admin_socket_to_make();
}

std::string admin_socket_to_ask() {
  const std::string usual(control::admin_socket_default);
  const auto own = socket_of_user();
  std::error_code ignored;
  return own && !fs::exists(usual, ignored) && fs::exists(*own, ignored) ? *own : usual;
}

}  // namespace sidestream::cli
