#include "control/metrics_page.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace sidestream::control {
namespace {

TEST(MetricsPage, FamiliesWithTheirSamples) {
  MetricsPage page;
  page.counter("sidestream_streams_accepted_total", "Client connections.");
  page.add(std::uint64_t{7});
  page.gauge("sidestream_service_streams", "Live streams.");
  page.add(std::uint64_t{3}, {{"sidecar", "home"}, {"service", "ssh"}});
  page.add(true, {{"sidecar", "home"}, {"service", "web"}});
  page.gauge("sidestream_empty", "Nothing to say.");
  EXPECT_EQ(page.text(),
            "# HELP sidestream_streams_accepted_total Client connections.\n"
            "# TYPE sidestream_streams_accepted_total counter\n"
            "sidestream_streams_accepted_total 7\n"
            "# HELP sidestream_service_streams Live streams.\n"
            "# TYPE sidestream_service_streams gauge\n"
            "sidestream_service_streams{sidecar=\"home\",service=\"ssh\"} 3\n"
            "sidestream_service_streams{sidecar=\"home\",service=\"web\"} 1\n"
            "# HELP sidestream_empty Nothing to say.\n"
            "# TYPE sidestream_empty gauge\n");
}

TEST(MetricsPage, NothingEndsALineOrALabelButUs) {
  MetricsPage page;
  page.gauge("a", "a \\ b\nc \"d\"");
  page.add(std::uint64_t{1}, {{"x", "\"} 5\nevil{y=\"\\"}});
  EXPECT_EQ(page.text(),
            "# HELP a a \\\\ b\\nc \"d\"\n# TYPE a gauge\n"
            "a{x=\"\\\"} 5\\nevil{y=\\\"\\\\\"} 1\n");
}

TEST(MetricsPage, Numbers) {
  MetricsPage page;
  page.gauge("a", "b");
  const std::size_t begin = page.text().size();
  page.add(std::numeric_limits<std::uint64_t>::max());
  page.add(0.0125);
  page.add(1795275000.25);
  page.add(std::numeric_limits<double>::infinity());
  page.add(-std::numeric_limits<double>::infinity());
  page.add(std::nan(""));
  EXPECT_EQ(page.text().substr(begin),
            "a 18446744073709551615\na 0.0125\na 1795275000.25\na +Inf\na -Inf\na NaN\n");
}

}  // namespace
}  // namespace sidestream::control
