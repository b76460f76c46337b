// The committed table of goodput over round trip, loss and buffer: what congestion control and loss
// recovery are worth, so that a change in them shows as a diff. The simulation is seeded; the same
// code gives the same table everywhere. To write it anew: SIDESTREAM_WRITE_GOODPUT=1 tcp_test
// --gtest_filter=Goodput*
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iomanip>
#include <sstream>

#include "tests/support/goodput.h"
#include "tunnel/bbr.h"
#include "tunnel/cubic.h"

namespace sidestream::tunnel {
namespace {

const char* const table_file = SIDESTREAM_SOURCE_DIR "/tests/tunnel/goodput_table.txt";

std::string table() {
  std::ostringstream lines;
  lines << "# One upload of 10 s at 10 Mbit/s: Mbit/s received, segments sent again in percent, "
           "mean\n"
           "# queue in ms. Buffer in bandwidth-delay products, loss in percent.\n"
           "# rtt_ms loss buffer | bbr | cubic\n";
  lines << std::fixed;
  for (const int rtt : {10, 50, 200}) {
    for (const double loss : {0.0, 0.001, 0.01, 0.03}) {
      for (const double buffer : {0.5, 4.0}) {
        lines << std::setw(3) << rtt << std::setprecision(1) << std::setw(4) << loss * 100
              << std::setw(4) << buffer;
        for (const MakeCongestionControl control : {make_bbr, make_cubic}) {
          const Goodput got = measure_goodput({.megabits = 10,
                                               .rtt = Duration(1ms) * rtt,
                                               .loss = loss,
                                               .buffer = buffer,
                                               .time = 10s,
                                               .congestion = control});
          lines << " |" << std::setw(5) << got.megabits << std::setw(5) << got.again * 100
                << std::setw(6) << std::chrono::duration<double, std::milli>(got.queue).count();
        }
        lines << '\n';
      }
    }
  }
  return lines.str();
}

TEST(Goodput, IsAsCommitted) {
  const std::string measured = table();
  if (std::getenv("SIDESTREAM_WRITE_GOODPUT") != nullptr) std::ofstream(table_file) << measured;
  std::stringstream committed;
  committed << std::ifstream(table_file).rdbuf();
  EXPECT_EQ(measured, committed.str());
}

}  // namespace
}  // namespace sidestream::tunnel
