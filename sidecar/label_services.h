// Services that labels of containers describe: `sidestream.services.NAME.KEY`, with the keys of
// sidecar.yaml and the same reader. docs/docker-labels.md is for users.
#pragma once

#include <string>
#include <vector>

#include "sidecar/container.h"
#include "sidecar/container_address.h"
#include "sidecar/sidecar_configuration.h"

namespace sidestream::sidecar {

struct LabelServices {
  std::vector<ServiceConfiguration> services;  // by name
  // What is wrong with labels, one line each, naming container and label; what it is about is left
  // out of `services`.
  std::vector<std::string> problems;
  // Services that wait for their container to be healthy, one line each.
  std::vector<std::string> waiting;
  bool operator==(const LabelServices&) const = default;
};

// `containers` are those with labels of ours. Several that describe the same service alike are its
// backends, the oldest first; when they do not agree, none of them is. A service of the file goes
// before one of labels with the same name or endpoint, and an older container before a newer one.
[[nodiscard]] LabelServices read_label_services(std::vector<const Container*> containers,
                                                const OwnPlace& own, const FindContainer& find,
                                                const std::vector<ServiceConfiguration>& of_file);

}  // namespace sidestream::sidecar
