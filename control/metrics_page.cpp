#include "control/metrics_page.h"

#include <array>
#include <charconv>
#include <cmath>

namespace sidestream::control {
namespace {

// A label's value keeps any character but these three; a help text has no quotes around it.
std::string escaped(std::string_view text, bool quoted) {
  std::string result;
  for (const char c : text) {
    if (c == '\\')
      result += "\\\\";
    else if (c == '\n')
      result += "\\n";
    else if (c == '"' && quoted)
      result += "\\\"";
    else
      result += c;
  }
  return result;
}

std::string number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  std::array<char, 32> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value);
  return {text.data(), end.ptr};
}

}  // namespace

void MetricsPage::begin(std::string_view name, std::string_view type, std::string_view help) {
  name_ = name;
  text_ += "# HELP " + name_ + ' ' + escaped(help, false) + '\n';
  text_ += "# TYPE " + name_ + ' ';
  text_ += type;
  text_ += '\n';
}

void MetricsPage::add(double value, std::initializer_list<MetricLabel> labels) {
  add_sample(number(value), labels);
}

void MetricsPage::add(std::uint64_t value, std::initializer_list<MetricLabel> labels) {
  add_sample(std::to_string(value), labels);
}

void MetricsPage::add_sample(std::string_view value, std::initializer_list<MetricLabel> labels) {
  text_ += name_;
  char before = '{';
  for (const MetricLabel& label : labels) {
    text_ += before;
    text_ += label.name;
    text_ += "=\"" + escaped(label.value, true) + '"';
    before = ',';
  }
  if (labels.size() > 0) text_ += '}';
  text_ += ' ';
  text_ += value;
  text_ += '\n';
}

}  // namespace sidestream::control
