// Where configurations come from: files, the environment, and the files that they refer to.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/options.h"
#include "streams/configuration_problem.h"
#include "streams/log_io.h"
#include "streams/variables.h"

namespace sidestream::cli {

inline constexpr std::string_view edge_file_default = "/etc/sidestream/edge.yaml";
inline constexpr std::string_view sidecar_file_default = "/etc/sidestream/sidecar.yaml";

// The file at `path`, which must be there. Without one, that at `path_default`, or nothing when it
// is not there. The error is one line for a person.
[[nodiscard]] std::expected<std::optional<ConfigurationText>, std::string> load_configuration(
    const std::optional<std::string>& path, std::string_view path_default);

// The environment of the process, and files; a path that is not absolute is looked up in the
// folder of the configuration, or in the current one when there is none.
// A file that holds a key or a ticket must not be readable by everyone or writable by a group,
// unless it is where container engines and systemd put secrets (docs/decisions/0011).
// Where `folders_read` is given, the folders of the files that are read are added to it.
[[nodiscard]] VariableSources process_variables(const std::optional<ConfigurationText>& file,
                                                std::vector<std::string>* folders_read = nullptr);

// Overwrites the text of a file that was read; its name stays.
void forget_content(std::optional<ConfigurationText>& file);

// What a reload says: why nothing has changed; or that it was taken over, and what of it not yet.
void tell_not_reloaded(const Log& log, const std::vector<std::string>& why);
void tell_reloaded(const Log& log, const std::vector<std::string>& keys_for_restart);

// Without --config: the file that the program itself would read. A machine that has both kinds is
// told to choose.
[[nodiscard]] std::expected<std::string_view, std::string> file_to_check(
    const CheckOptions& options);

}  // namespace sidestream::cli
