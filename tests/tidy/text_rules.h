// Rules about single lines and words: banned calls, banned names, sizes, leftovers.
#pragma once

#include "tests/tidy/source_tree.h"

namespace sidestream::tidy {

inline constexpr std::size_t file_lines_max = 400;
inline constexpr std::size_t line_columns_max = 100;

// Detached tasks, objects that keep themselves alive, capturing lambda coroutines, sleeps in
// tests, unsafe C functions, and a shared_ptr without a comment that says why.
Findings check_calls(const SourceTree& tree);
// Names that say nothing, in files, folders and identifiers.
Findings check_names(const SourceTree& tree);
// Files of at most 400 lines, lines of at most 100 columns.
Findings check_sizes(const SourceTree& tree);
// Tabs, blanks at the end of a line, a last line without an end.
Findings check_whitespace(const SourceTree& tree);
// Notes to ourselves, and paths of the machine on which something was written.
Findings check_leftovers(const SourceTree& tree);

}  // namespace sidestream::tidy
