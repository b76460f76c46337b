// Reads `router` of edge.yaml: a word, or one router with its keys.
#pragma once

#include <string>

#include "edge/routers/router_settings.h"
#include "streams/configuration_reader.h"

namespace sidestream::edge {

[[nodiscard]] RouterSettings read_router(const ConfigurationValue& value);

// With the files for which no place was written, in a folder.
[[nodiscard]] RouterSettings with_files_in(RouterSettings settings, const std::string& folder);

}  // namespace sidestream::edge
