// Who may include whom, what a core may not touch, and which files are the doors of the external
// libraries.
#pragma once

#include "tests/tidy/source_tree.h"

namespace sidestream::tidy {

// cli → sidecar, edge → control → tunnel → streams; edge and sidecar never include each other.
Findings check_layers(const SourceTree& tree);
// A core includes nothing that touches the world, no *_io header, and asks no clock.
Findings check_cores(const SourceTree& tree);
// Each external library is included only by its doors.
Findings check_doors(const SourceTree& tree);
// X.cpp includes its own header first; every header has `#pragma once`.
Findings check_headers(const SourceTree& tree);

}  // namespace sidestream::tidy
