// The labels of one container as a tree such as `services` of sidecar.yaml has: a mapping of names,
// each a mapping of keys.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "streams/yaml_document.h"

namespace sidestream::sidecar {

inline constexpr std::string_view services_label = "sidestream.services.";

struct LabelTree {
  YamlNode services;
  std::vector<std::string> problems;  // `LABEL: what is wrong`, one line each
};

// Labels are texts: those that are lists in a file have commas or white space between their items.
[[nodiscard]] LabelTree parse_labels(std::span<const std::pair<std::string, std::string>> labels);

// The value of a key of a mapping, which is made when it is not there.
YamlNode& child_of(YamlNode& mapping, std::string_view key);

}  // namespace sidestream::sidecar
