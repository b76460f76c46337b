// What streams that share one simulated line get: uploads beside each other, an interactive stream
// beside them, a new one on a line that is busy. One line per cell, with tabs.
#include <cstdio>
#include <cstring>

#include "tests/support/shared_line.h"
#include "tunnel/bbr.h"
#include "tunnel/cubic.h"

namespace sidestream::tunnel {
namespace {

double milliseconds(Duration time) {
  return std::chrono::duration<double, std::milli>(time).count();
}

void print(const char* control, const SharedLineCase& line) {
  const SharedLineResult got = measure_shared_line(line);
  std::printf("%s\t%.0f\t%.0f\t%.3f\t%.1f\t%zu\t%.3f\t%.3f\t%.4f\t%.1f\t%.1f\t%.1f\n", control,
              line.megabits, milliseconds(line.rtt), line.loss, line.buffer, line.uploads,
              got.share, got.fairness, got.again, milliseconds(got.queue),
              milliseconds(got.echo_median), milliseconds(got.echo_p95));
  std::fflush(stdout);
}

void run(const char* name, MakeCongestionControl make) {
  for (const std::size_t uploads : {1UL, 4UL, 16UL})
    for (const double rate : {10.0, 50.0})
      for (const int rtt : {10, 40, 100})
        for (const double loss : {0.0, 0.01})
          for (const double buffer : {1.0, 4.0})
            print(name, {.megabits = rate,
                         .rtt = Duration(1ms) * rtt,
                         .loss = loss,
                         .buffer = buffer,
                         .uploads = uploads,
                         .congestion = make,
                         .echo = true});
}

}  // namespace
}  // namespace sidestream::tunnel

// sharing_bench [bbr|cubic]
int main(int count, char** words) {
  using namespace sidestream::tunnel;
  std::printf(
      "control\tmbit\trtt_ms\tloss\tbuffer\tuploads\tshare\tfairness\tagain\tqueue_ms\techo_p50\t"
      "echo_p95\n");
  const bool cubic = count > 1 && std::strcmp(words[1], "cubic") == 0;
  run(cubic ? "cubic" : "bbr", cubic ? make_cubic : make_bbr);
  return 0;
}
