// What is wrong with a configuration, said so that a person can go there and mend it. Problems are
// collected, not thrown: all of them are shown at once.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "streams/yaml_document.h"

namespace sidestream {

// Where a value was written: `sidecar.yaml:7:12`, or only `SIDESTREAM_PUBLISH`.
struct Place {
  std::string source;
  std::optional<Mark> mark;

  [[nodiscard]] std::string text() const;
};

struct ConfigurationProblem {
  Place place;
  std::string key;      // the path of keys, `services.electrum.tls`; empty for the whole
  std::string message;  // what was expected, and the remedy; never the value of a variable

  // `sidecar.yaml:7:12: services.electrum.tls: expected …`, one line whatever the parts hold.
  [[nodiscard]] std::string text() const;
};

// A configuration as it was found, before anybody has read it.
struct ConfigurationText {
  std::string name;  // of the file, as the user wrote it
  std::string text;
};

class ConfigurationProblems {
 public:
  static constexpr std::size_t kept_max = 100;

  void add(ConfigurationProblem problem);
  [[nodiscard]] bool empty() const { return problems_.empty(); }
  // How many were added, those beyond kept_max included.
  [[nodiscard]] std::size_t count() const { return count_; }
  // In the order of the document; problems of other sources stand behind it.
  [[nodiscard]] const std::vector<ConfigurationProblem>& in_order() const { return problems_; }
  // One line each, and a last line that counts those that were not kept.
  [[nodiscard]] std::vector<std::string> lines() const;

 private:
  std::vector<ConfigurationProblem> problems_;
  std::size_t count_ = 0;
};

}  // namespace sidestream
