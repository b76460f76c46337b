// What must exist because something else does.
#pragma once

#include "tests/tidy/source_tree.h"

namespace sidestream::tidy {

// Each core source has tests/FOLDER/STEM_test.cpp.
Findings check_tests_exist(const SourceTree& tree);
// Each header that declares a parser is included by a fuzz target; each target is listed, short,
// and has a corpus.
Findings check_fuzz_targets(const SourceTree& tree);
// Each source is named in a CMakeLists.txt of its folder, so that nothing is left out of the build.
Findings check_sources_listed(const SourceTree& tree);
// Each example configuration is named (itself or its folder) by a test.
Findings check_examples(const SourceTree& tree);
// Documents name only files that exist, as links and as `folder/file`.
Findings check_documents(const SourceTree& tree);
// Developer commands stop at the first error and answer --help.
Findings check_scripts(const SourceTree& tree);

}  // namespace sidestream::tidy
