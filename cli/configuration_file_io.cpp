#include "cli/configuration_file_io.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <utility>

#include "cli/secret_residue_io.h"
#include "streams/message_text.h"
#include "streams/yaml_document.h"

namespace sidestream::cli {
namespace {

// One byte more than a document may have, so that its reader can tell that there is more.
constexpr std::size_t read_bytes_max = YamlLimits{}.bytes_max + 1;

std::expected<std::string, std::string> read_file(const std::string& path) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  std::string content(read_bytes_max, '\0');
  file.read(content.data(), static_cast<std::streamsize>(content.size()));
  if (file.bad() || (file.fail() && !file.eof()))
    return std::unexpected("cannot read " + printable(path, 500) + ": " +
                           std::strerror(errno != 0 ? errno : EIO));
  content.resize(static_cast<std::size_t>(file.gcount()));
  content.shrink_to_fit();  // it is kept for as long as the program runs
  return content;
}

// Docker, Compose, Podman and Kubernetes mount secrets below /run/secrets, readable by everyone in
// the container; systemd gives a service a folder of its own. What reaches them is not ours.
bool is_place_of_secrets(const std::filesystem::path& path) {
  std::error_code ignored;
  const std::string place = std::filesystem::weakly_canonical(path, ignored).string();
  const char* const credentials = std::getenv("CREDENTIALS_DIRECTORY");
  return place.starts_with("/run/secrets/") || (credentials != nullptr && *credentials == '/' &&
                                                place.starts_with(std::string(credentials) + "/"));
}

std::expected<std::string, std::string> read_secret_file(const std::filesystem::path& path) {
  constexpr mode_t too_wide = S_IRWXO | S_IWGRP;
  struct stat facts{};
  const bool is_there = ::stat(path.c_str(), &facts) == 0;
  if (!is_there || (facts.st_mode & too_wide) == 0 || is_place_of_secrets(path))
    return read_file(path);
  return std::unexpected(printable(path.string(), 500) +
                         " may be read by everyone on this machine, or written by a group; if "
                         "nobody else has seen it, run: chmod 600 " +
                         printable(path.string(), 500));
}

// What ACME clients name is a link into another folder.
void note_folders(const std::filesystem::path& path, std::vector<std::string>& folders) {
  const std::filesystem::path file = std::filesystem::absolute(path);
  folders.push_back(file.parent_path().string());
  std::error_code ignored;
  const auto target = std::filesystem::canonical(file, ignored);
  if (!ignored) folders.push_back(target.parent_path().string());
}

}  // namespace

std::expected<std::optional<ConfigurationText>, std::string> load_configuration(
    const std::optional<std::string>& path, std::string_view path_default) {
  const std::string chosen = path.value_or(std::string(path_default));
  std::error_code ignored;
  if (!path && !std::filesystem::exists(chosen, ignored)) return std::nullopt;
  auto content = read_file(chosen);
  if (!content)
    return std::unexpected(content.error() + "; give a file that can be read with --config FILE");
  return ConfigurationText{chosen, std::move(*content)};
}

VariableSources process_variables(const std::optional<ConfigurationText>& file,
                                  std::vector<std::string>* folders_read) {
  const std::filesystem::path folder =
      file ? std::filesystem::path(file->name).parent_path() : std::filesystem::path();
  if (folders_read != nullptr && file)
    folders_read->push_back(std::filesystem::absolute(file->name).parent_path().string());
  return {
      [](const std::string& name) -> std::optional<std::string> {
        const char* value = std::getenv(name.c_str());
        if (value == nullptr) return std::nullopt;
        return value;
      },
      [folder, folders_read](const std::string& path) -> std::expected<std::string, std::string> {
        if (folders_read != nullptr) note_folders(folder / path, *folders_read);
        auto content = read_file(folder / path);
        if (content) return content;
        return std::unexpected(content.error() + "; is it there, and readable for this user?");
      },
      [folder, folders_read](const std::string& path) -> std::expected<std::string, std::string> {
        if (folders_read != nullptr) note_folders(folder / path, *folders_read);
        auto content = read_secret_file(folder / path);
        if (content || content.error().contains("chmod")) return content;
        return std::unexpected(content.error() + "; is it there, and readable for this user?");
      }};
}

void forget_content(std::optional<ConfigurationText>& file) {
  if (file) wipe_text(file->text);
}

void tell_not_reloaded(const Log& log, const std::vector<std::string>& why) {
  for (const std::string& line : why) log.error("mistake in the configuration", {{"what", line}});
  log.error("SIGHUP: configuration not reloaded, nothing has changed");
}

void tell_reloaded(const Log& log, const std::vector<std::string>& keys_for_restart) {
  for (const std::string& key : keys_for_restart)
    log.warn("takes effect at the next start", {{"key", key}});
  log.info("SIGHUP: configuration reloaded");
}

std::expected<std::string_view, std::string> file_to_check(const CheckOptions& options) {
  if (options.program == Program::edge) return edge_file_default;
  if (options.program == Program::sidecar || options.config) return sidecar_file_default;
  std::error_code ignored;
  const bool has_edge = std::filesystem::exists(edge_file_default, ignored);
  const bool has_sidecar = std::filesystem::exists(sidecar_file_default, ignored);
  if (has_edge && has_sidecar)
    return std::unexpected(
        "there are /etc/sidestream/edge.yaml and /etc/sidestream/sidecar.yaml; "
        "say which with --config FILE");
  return has_edge ? edge_file_default : sidecar_file_default;
}

}  // namespace sidestream::cli
