#include "streams/configuration_problem.h"

#include <algorithm>
#include <utility>

#include "streams/message_text.h"

namespace sidestream {
namespace {

constexpr std::size_t part_bytes_max = 500;

bool stands_before(const Place& left, const Place& right) {
  if (!left.mark || !right.mark) return left.mark.has_value() && !right.mark;
  return *left.mark < *right.mark;
}

}  // namespace

std::string Place::text() const {
  std::string result = printable(source, part_bytes_max);
  if (mark) result += ":" + std::to_string(mark->line) + ":" + std::to_string(mark->column);
  return result;
}

std::string ConfigurationProblem::text() const {
  std::string result = place.text() + ": ";
  if (!key.empty()) result += printable(key, part_bytes_max) + ": ";
  return result + printable(message, part_bytes_max);
}

void ConfigurationProblems::add(ConfigurationProblem problem) {
  ++count_;
  if (problems_.size() == kept_max) return;
  const auto behind = std::ranges::find_if(problems_, [&](const ConfigurationProblem& other) {
    return stands_before(problem.place, other.place);
  });
  problems_.insert(behind, std::move(problem));
}

std::vector<std::string> ConfigurationProblems::lines() const {
  std::vector<std::string> lines;
  for (const ConfigurationProblem& problem : problems_) lines.push_back(problem.text());
  if (count_ > problems_.size())
    lines.push_back("… and " + std::to_string(count_ - problems_.size()) + " more");
  return lines;
}

}  // namespace sidestream
