#include "cli/arguments.h"

#include <algorithm>
#include <utility>

#include "streams/message_text.h"

namespace sidestream::cli {
namespace {

using Takes = OptionForm::Takes;

std::string needs_value(const OptionForm& form) {
  return std::string(form.name) + " needs a value: " + std::string(form.name) + " " +
         std::string(form.value);
}

class Taker {
 public:
  Taker(std::span<const std::string_view> arguments, std::span<const OptionForm> forms,
        std::size_t names_max)
      : rest_(arguments), forms_(forms), names_max_(names_max) {}

  std::expected<Arguments, std::string> run() {
    while (!rest_.empty()) {
      const std::string_view argument = take();
      std::string error;
      if (argument == "--") {
        while (!rest_.empty() && error.empty()) error = take_name(take());
      } else if (argument == "--help" || argument == "-h") {
        taken_.help = true;
      } else if (argument.starts_with('-') && argument != "-") {
        error = take_option(argument);
      } else {
        error = take_name(argument);
      }
      // Who asks for help gets it, whatever else is wrong.
      if (!error.empty() && first_error_.empty()) first_error_ = std::move(error);
    }
    if (first_error_.empty() || taken_.help) return std::move(taken_);
    return std::unexpected(std::move(first_error_));
  }

 private:
  std::string_view take() {
    const std::string_view first = rest_.front();
    rest_ = rest_.subspan(1);
    return first;
  }

  std::string unexpected_argument(std::string_view argument) const {
    if (argument.starts_with("ss1_"))
      return "a ticket on the command line can be seen by everyone on this machine; put it into "
             "SIDESTREAM_TICKET or a file";
    const bool may_be_file =
        argument.ends_with(".yaml") &&
        std::ranges::find(forms_, "--config", &OptionForm::name) != forms_.end();
    return "unexpected argument " + in_quotes(argument) +
           (may_be_file ? "; did you mean --config " + printable(argument) + "?" : "");
  }

  std::string take_name(std::string_view argument) {
    if (taken_.names.size() == names_max_) return unexpected_argument(argument);
    taken_.names.emplace_back(argument);
    return "";
  }

  std::string take_option(std::string_view argument) {
    const std::size_t equals = argument.find('=');
    const std::string_view name = argument.substr(0, equals);
    const auto form = std::ranges::find(forms_, name, &OptionForm::name);
    if (form == forms_.end()) return unknown_option(name);
    if (taken_.has(name) && form->takes != Takes::values)
      return std::string(name) + " is given twice";

    std::vector<std::string>& values = taken_.options[form->name];
    const bool has_value = equals != std::string_view::npos;
    if (form->takes == Takes::nothing)
      return has_value ? std::string(name) + " takes no value" : "";
    if (has_value) values.emplace_back(argument.substr(equals + 1));
    const std::size_t wanted = has_value ? 0 : form->takes == Takes::value ? 1 : rest_.size();
    std::size_t taken = 0;
    while (taken < wanted && !rest_.empty() && !rest_.front().starts_with('-')) {
      values.emplace_back(take());
      ++taken;
    }
    return values.empty() || values.back().empty() || (!has_value && taken == 0)
               ? needs_value(*form)
               : "";
  }

  std::string unknown_option(std::string_view name) const {
    std::vector<std::string_view> known{"--help"};
    for (const OptionForm& form : forms_) known.push_back(form.name);
    return "unknown option " + in_quotes(name) + did_you_mean(name, known);
  }

  std::span<const std::string_view> rest_;
  std::span<const OptionForm> forms_;
  std::size_t names_max_;
  Arguments taken_;
  std::string first_error_;
};

}  // namespace

std::optional<std::string> Arguments::value(std::string_view option) const {
  const auto found = options.find(option);
  if (found == options.end() || found->second.empty()) return std::nullopt;
  return found->second.front();
}

std::expected<Arguments, std::string> take_apart(std::span<const std::string_view> arguments,
                                                 std::span<const OptionForm> forms,
                                                 std::size_t names_max) {
  return Taker(arguments, forms, names_max).run();
}

}  // namespace sidestream::cli
