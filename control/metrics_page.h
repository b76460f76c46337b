// One page of metrics in Prometheus' text format, version 0.0.4
// (prometheus.io/docs/instrumenting/exposition_formats). docs/metrics.md lists what stands on it.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace sidestream::control {

inline constexpr std::string_view metrics_target = "/metrics";
inline constexpr std::string_view metrics_content_type = "text/plain; version=0.0.4; charset=utf-8";

struct MetricLabel {
  std::string_view name;   // a word of ours
  std::string_view value;  // anything; escaped
};

class MetricsPage {
 public:
  // Begins a family, each once. Its samples follow before the next one begins; it may have none.
  // The name ends in its base unit, that of a counter in `_total`.
  void counter(std::string_view name, std::string_view help) { begin(name, "counter", help); }
  void gauge(std::string_view name, std::string_view help) { begin(name, "gauge", help); }

  // One sample of the family that was begun last. No two of one family have the same labels.
  void add(double value, std::initializer_list<MetricLabel> labels = {});
  void add(std::uint64_t value, std::initializer_list<MetricLabel> labels = {});
  void add(bool value, std::initializer_list<MetricLabel> labels = {}) {
    add(std::uint64_t{value}, labels);
  }

  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  void begin(std::string_view name, std::string_view type, std::string_view help);
  void add_sample(std::string_view value, std::initializer_list<MetricLabel> labels);

  std::string name_;
  std::string text_;
};

}  // namespace sidestream::control
