// Goodput of one upload in the seeded simulation, for each congestion control, over a table of
// round trips, rates, losses and buffers. One line per cell, with tabs.
#include <cstdio>
#include <cstring>

#include "tests/support/goodput.h"
#include "tunnel/bbr.h"
#include "tunnel/cubic.h"

namespace sidestream::tunnel {
namespace {

template <int Variant>
std::unique_ptr<CongestionControl> make_variant(std::size_t mss) {
  BbrParameters parameters;
  if (Variant == 1)
    parameters = {.probe_rtt_gain = 0,
                  .loss_threshold = 1,
                  .startup_loss_threshold = 1,
                  .startup_window_gain = 2.885,
                  .queue_ends_startup = false};
  if (Variant == 2) parameters = {.queue_ends_startup = false};
  if (Variant == 3)
    parameters = {.probe_rtt_interval = 5s,
                  .loss_threshold = 0.02,
                  .startup_loss_threshold = 0.02,
                  .loss_beta = 0.7,
                  .queue_ends_startup = false,
                  .lower_bound = true};
  if (Variant == 4) parameters = {.startup_window_gain = 2.885};
  return std::make_unique<Bbr>(mss, parameters);
}

struct Named {
  const char* name;
  MakeCongestionControl make;
};

void run(bool all_lines, const char* only) {
  const Named controls[] = {{"cubic", make_cubic},     {"bbr", make_bbr},
                            {"bbr1", make_variant<1>}, {"bbr2", make_variant<2>},
                            {"bbr4", make_variant<4>}, {"bbr3", make_variant<3>}};
  std::printf("control\trtt_ms\tmbit\tloss\tbuffer\tgoodput\tshare\tagain\tqueue_ms\n");
  for (const Named& control : controls) {
    if (only != nullptr && std::strcmp(only, control.name) != 0) continue;
    for (const int rtt : {10, 50, 100, 200})
      for (const double rate : {10.0, 50.0, 200.0})
        for (const double loss : {0.0, 0.001, 0.01, 0.03})
          for (const double buffer : {0.5, 1.0, 4.0}) {
            if (!all_lines && (rate > 100 || (rtt != 50 && rtt != 200))) continue;
            GoodputCase line{.megabits = rate,
                             .rtt = Duration(1ms) * rtt,
                             .loss = loss,
                             .buffer = buffer,
                             .congestion = control.make};
            const Goodput got = measure_goodput(line);
            std::printf("%s\t%d\t%.0f\t%.3f\t%.1f\t%.2f\t%.3f\t%.4f\t%.1f\n", control.name, rtt,
                        rate, loss, buffer, got.megabits, got.share, got.again,
                        std::chrono::duration<double, std::milli>(got.queue).count());
            std::fflush(stdout);
          }
  }
}

}  // namespace
}  // namespace sidestream::tunnel

// goodput_bench [all|some] [cubic|bbr|…]
int main(int count, char** words) {
  sidestream::tunnel::run(count < 2 || std::strcmp(words[1], "some") != 0,
                          count > 2 ? words[2] : nullptr);
  return 0;
}
