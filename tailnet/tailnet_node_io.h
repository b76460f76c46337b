// The Tailscale node of this machine, as a program watches it beside its work: what it is like is
// told in the log, in the status document and in metrics. Nothing is ever changed there.
#pragma once

#include <string>
#include <vector>

#include "control/metrics_page.h"
#include "control/tailnet_status.h"
#include "streams/log_io.h"
#include "tailnet/tailnet_watch_io.h"

namespace sidestream::tailnet {

class TailnetNode {
 public:
  // `sockets`: where the daemon may be, at least one. `network` and `log` outlive it.
  // `peers`: nodes whose paths are looked at; those of them that are none are left out.
  TailnetNode(Network& network, std::vector<std::string> sockets,
              const std::vector<IpAddress>& peers, const Log& log);

  // Until it is cancelled. Throws for nothing else.
  Task<> run();

  [[nodiscard]] LocalApi& api() { return api_; }
  [[nodiscard]] const TailnetStanding& standing() const { return watch_.standing(); }
  [[nodiscard]] control::TailnetStatus document() const;
  [[nodiscard]] const std::vector<control::TailnetPathStatus>& paths() const { return paths_; }

  static constexpr Duration look_at_paths_every = 30s;

 private:
  void handle_change();
  Task<> look_at_paths();
  void handle_path(control::TailnetPathStatus& path,
                   const std::expected<PeerPath, std::string>& now);

  Network& network_;
  const Log& log_;
  LocalApi api_;
  TailnetWatch watch_;
  std::vector<control::TailnetPathStatus> paths_;
  std::string told_;  // the problem
  std::vector<std::string> addresses_told_;
  Event changed_;
};

// The families stand on the page of a program without a tailnet, too; their samples do not.
void add_tailnet_metrics(control::MetricsPage& page, const TailnetNode* node);

}  // namespace sidestream::tailnet
