#include "control/version.h"

namespace sidestream::control {

// Defined by the build, for this file only, so that a new version does not build everything anew.
std::string_view program_version() {
  return SIDESTREAM_VERSION;
}

}  // namespace sidestream::control
