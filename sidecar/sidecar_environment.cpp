#include "sidecar/sidecar_environment.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "control/configuration_values.h"

namespace sidestream::sidecar {
namespace {

std::string value_of(const VariableSources& sources, std::string_view variable) {
  return sources.environment(std::string(variable)).value_or("");
}

void fail(ConfigurationProblems& problems, std::string_view variable, std::string message) {
  problems.add({{std::string(variable), std::nullopt}, "", std::move(message)});
}

// The pieces between commas and white space, each read as `Value`.
template <typename Value>
std::vector<Value> read_pieces(std::string_view variable, std::string_view text,
                               std::size_t count_max, ConfigurationProblems& problems) {
  constexpr std::string_view separators = ", \t\r\n";
  ConfigurationSource source{
      .name = std::string(variable), .problems = problems, .has_marks = false};
  std::vector<Value> values;
  for (std::size_t begin = text.find_first_not_of(separators); begin != std::string_view::npos;
       begin = text.find_first_not_of(separators, begin)) {
    const std::size_t end = std::min(text.find_first_of(separators, begin), text.size());
    const YamlNode node{.kind = YamlNode::Kind::scalar,
                        .text = std::string(text.substr(begin, end - begin))};
    begin = end;
    const ConfigurationValue piece(node, "", source);
    auto value = control::read_parsed<Value>(piece);
    if (!value) continue;
    if (values.size() == count_max) {
      fail(problems, variable,
           "has more than " + std::to_string(count_max) + " items; use a file for that many");
      break;
    }
    if (std::ranges::find(values, *value) == values.end()) {
      values.push_back(std::move(*value));
    } else {
      fail(problems, variable, "\"" + value->text() + "\" is there twice; remove one of the two");
    }
  }
  return values;
}

}  // namespace

bool is_set(const VariableSources& sources, std::string_view variable) {
  return !value_of(sources, variable).empty();
}

std::optional<EdgeEntry> read_edge_from_environment(const VariableSources& sources,
                                                    ConfigurationProblems& problems) {
  std::string text = value_of(sources, ticket_variable);
  const std::string path = value_of(sources, ticket_file_variable);
  if (text.empty() && path.empty()) return std::nullopt;
  if (!text.empty() && !path.empty()) {
    fail(problems, ticket_file_variable,
         "is set, and so is SIDESTREAM_TICKET; unset one of the two");
    return std::nullopt;
  }
  if (!path.empty()) {
    auto content = sources.file(path);
    if (!content) {
      fail(problems, ticket_file_variable, content.error());
      return std::nullopt;
    }
    text = without_final_newline(std::move(*content));
  }
  ConfigurationSource source{
      .name = std::string(path.empty() ? ticket_variable : ticket_file_variable),
      .problems = problems,
      .has_marks = false};
  const YamlNode node{.kind = YamlNode::Kind::scalar, .text = std::move(text)};
  return read_ticket(ConfigurationValue(node, "", source));
}

std::optional<ServiceConfiguration> read_service_from_environment(const VariableSources& sources,
                                                                  ConfigurationProblems& problems) {
  const std::string publish = value_of(sources, publish_variable);
  const std::string backend = value_of(sources, backend_variable);
  if (publish.empty() && backend.empty()) return std::nullopt;
  if (publish.empty())
    fail(problems, publish_variable,
         "is not set, but SIDESTREAM_BACKEND is; set it to the endpoints to publish, such as "
         "electrum.example.com or :2222");
  if (backend.empty())
    fail(problems, backend_variable,
         "is not set, but SIDESTREAM_PUBLISH is; set it to the backend, HOST:PORT or unix:/PATH");

  ServiceConfiguration service;
  service.name = environment_service;
  service.publish = read_pieces<control::Endpoint>(publish_variable, publish,
                                                   SidecarConfiguration::endpoints_max, problems);
  service.backends = read_pieces<BackendAddress>(backend_variable, backend,
                                                 SidecarConfiguration::backends_max, problems);
  if (service.publish.empty() || service.backends.empty()) return std::nullopt;
  return service;
}

}  // namespace sidestream::sidecar
