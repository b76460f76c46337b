// The example files under tests/vectors/configuration, and a small world for their variables.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "streams/configuration_problem.h"
#include "streams/variables.h"

namespace sidestream {

// Of `vps.example.com:51820`, edge 10.86.0.1, sidecar 10.86.0.2.
inline constexpr std::string_view example_ticket =
    "ss1_AQBzKAIPdnBzLmV4YW1wbGUuY29tymwLMjAwMTpkYjg6OjHKbAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR"
    "4fBBgKVgABClYAAqChoqOkpaanqKmqq6ytrq-wsbKztLW2t7i5uru8vb6_eIVSHg";

// What is set and which files there are. Values that no message may show hold "s3cret".
struct ExampleWorld {
  std::map<std::string, std::string> environment;
  std::map<std::string, std::string> files;

  // The world must outlive them.
  [[nodiscard]] VariableSources sources() const;
};

// The world that the example files are written for.
ExampleWorld example_world();

struct ConfigurationExample {
  ConfigurationText text;
  std::string expected;  // of invalid ones: the problems, one line each
};

// Of `kind` "valid" or "invalid", those whose names begin with `program`, "sidecar" or "edge".
std::vector<ConfigurationExample> configuration_examples(std::string_view kind,
                                                         std::string_view program);

// A file of the tree, such as `docs/configuration.md`.
std::string document_text(const std::string& document);

// Every ```yaml block of a document; the path is from the root of the sources. The name of a block
// is that of the document with the line where it begins.
std::vector<ConfigurationText> configurations_in(const std::string& document);

// Each line ends with a line break.
std::string joined_lines(const ConfigurationProblems& problems);

}  // namespace sidestream
