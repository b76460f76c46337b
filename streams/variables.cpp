#include "streams/variables.h"

#include <algorithm>
#include <utility>

#include "streams/message_text.h"

namespace sidestream {
namespace {

using Result = std::expected<void, std::string>;

constexpr std::string_view forms =
    "write ${VAR}, ${VAR:-default} or ${file:PATH}, and $${ for a literal ${";

bool is_name(std::string_view text) {
  const auto is_letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  return !text.empty() && is_letter(text.front()) &&
         std::ranges::all_of(text, [&](char c) { return is_letter(c) || is_digit(c); });
}

class Expander {
 public:
  Expander(std::string_view text, const VariableSources& sources, const VariableLimits& limits)
      : rest_(text), sources_(sources), limits_(limits) {}

  std::expected<Expansion, std::string> run() {
    if (const Result done = text(0, true); !done) return std::unexpected(done.error());
    return std::move(expansion_);
  }

 private:
  // Everything up to the end, or, inside of a default, up to its closing brace, which stays. What
  // is not `wanted` is read over.
  Result text(std::size_t depth, bool wanted) {
    while (!rest_.empty() && !(depth > 0 && rest_.front() == '}')) {
      Result done;
      if (rest_.starts_with("$${")) {
        done = append("${", wanted);
        rest_.remove_prefix(3);
      } else if (rest_.starts_with("${")) {
        rest_.remove_prefix(2);
        done = reference(depth, wanted);
      } else {
        done = append(rest_.substr(0, 1), wanted);
        rest_.remove_prefix(1);
      }
      if (!done) return done;
    }
    return {};
  }

  // What follows `${`, its brace included.
  Result reference(std::size_t depth, bool wanted) {
    if (depth >= limits_.depth_max)
      return std::unexpected("${…} are nested deeper than " + std::to_string(limits_.depth_max));
    if (wanted) expansion_.substituted = true;
    if (rest_.starts_with("file:")) return file(wanted);
    const std::size_t end = rest_.find_first_of(":}");
    const std::string name(rest_.substr(0, end));
    if (end == std::string_view::npos) return std::unexpected(not_closed());
    if (!is_name(name))
      return std::unexpected(in_quotes(name) + " is not the name of a variable; " +
                             std::string(forms));
    rest_.remove_prefix(end);
    const bool has_default = rest_.starts_with(":-");
    if (rest_.front() == ':' && !has_default)
      return std::unexpected("unknown form of ${" + printable(name) + ":…}; " + std::string(forms));
    const auto value = wanted ? sources_.environment(name) : std::nullopt;
    if (wanted) expansion_.variables.push_back(name);
    // As in a shell: an empty variable takes the default too.
    const bool take_default = has_default && (!value || value->empty());
    if (has_default) {
      rest_.remove_prefix(2);
      if (const Result done = text(depth + 1, wanted && take_default); !done) return done;
      if (rest_.empty()) return std::unexpected(not_closed());
    }
    rest_.remove_prefix(1);
    if (!wanted || take_default) return {};
    if (!value)
      return std::unexpected("the environment variable " + printable(name) +
                             " is not set; set it, or give a default: ${" + printable(name) +
                             ":-default}");
    return append(*value, true);
  }

  Result file(bool wanted) {
    const std::size_t end = rest_.find('}');
    if (end == std::string_view::npos) return std::unexpected(not_closed());
    const std::string path(rest_.substr(5, end - 5));
    rest_.remove_prefix(end + 1);
    if (path.empty()) return std::unexpected("${file:} has no path; write ${file:/run/secrets/x}");
    if (!wanted) return {};
    auto content = sources_.file(path);
    if (!content) return std::unexpected(content.error());
    return append(without_final_newline(std::move(*content)), true);
  }

  Result append(std::string_view text, bool wanted) {
    if (!wanted) return {};
    if (text.size() > limits_.bytes_max - expansion_.text.size())
      return std::unexpected("the value is longer than " + std::to_string(limits_.bytes_max) +
                             " bytes; is it the right file?");
    expansion_.text.append(text);
    return {};
  }

  static std::string not_closed() { return "a ${ is not closed; " + std::string(forms); }

  std::string_view rest_;
  const VariableSources& sources_;
  const VariableLimits& limits_;
  Expansion expansion_;
};

}  // namespace

std::expected<Expansion, std::string> expand_variables(std::string_view text,
                                                       const VariableSources& sources,
                                                       const VariableLimits& limits) {
  return Expander(text, sources, limits).run();
}

std::string without_final_newline(std::string content) {
  if (content.ends_with('\n')) content.pop_back();
  if (content.ends_with('\r')) content.pop_back();
  return content;
}

}  // namespace sidestream
