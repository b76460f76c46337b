// A host of the simulated internet with one program on it that can be killed at any step of what it
// does: at each datagram that it sends and each file that it writes, right before and right after.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "edge/edge_io.h"
#include "sidecar/sidecar_io.h"
#include "tests/support/simulated_network_io.h"

namespace sidestream {

// Counts steps, and says at which one the program dies. Nothing that it does from then on in the
// same instant has any effect.
class CrashPoint {
 public:
  // `step` is counted from now, from 1; `before`: that step is not done any more.
  void arm(std::uint64_t step, bool before) { at_ = steps_ + step, before_ = before; }
  void disarm() { at_ = 0, dead_ = false; }
  [[nodiscard]] bool armed() const { return at_ != 0; }
  [[nodiscard]] bool dead() const { return dead_; }
  [[nodiscard]] std::uint64_t steps() const { return steps_; }

  // A step is about to be done; false: it is not.
  bool reach() {
    if (dead_) return false;
    dead_ = ++steps_ == at_;
    return !dead_ || !before_;
  }

 private:
  std::uint64_t steps_ = 0;
  std::uint64_t at_ = 0;
  bool before_ = false;
  bool dead_ = false;
};

// A state folder that is what the disk holds, whatever happens to the program.
class MemoryState final : public StateFolder {
 public:
  explicit MemoryState(CrashPoint& crash) : StateFolder("/memory"), crash_(&crash) {}

  std::expected<std::optional<std::string>, std::string> read(
      std::string_view name) const override {
    const auto found = files_->find(name);
    if (found == files_->end()) return std::nullopt;
    return found->second;
  }
  std::expected<void, std::string> write(std::string_view name,
                                         std::string_view content) const override {
    if (!crash_->reach()) return std::unexpected("the power is gone");
    (*files_)[std::string(name)] = content;
    return {};
  }

 private:
  using Files = std::map<std::string, std::string, std::less<>>;
  CrashPoint* crash_;
  std::unique_ptr<Files> files_ = std::make_unique<Files>();
};

class Machine {
 public:
  Machine(World& world, SimulatedHost& host) : world_(world), host_(host), state_(crash_) {}
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;
  virtual ~Machine() = default;

  void start() {
    end();
    crash_.disarm();
    run_.emplace(world_.loop().executor(), begin(host_.boot()), [this] { world_.settle(); });
  }
  // The program is killed; or its host loses power, and nobody is told.
  void kill() {
    end();
    host_.kill();
  }
  void lose_power() {
    host_.lose_power();
    end();
  }
  [[nodiscard]] bool running() const { return run_ && !run_->done(); }
  // SIGTERM; some time later it does not run any more.
  virtual void stop() = 0;

  SimulatedHost& host() { return host_; }
  CrashPoint& crash() { return crash_; }

 protected:
  // Makes the program and what it runs; forgets it.
  virtual Task<> begin(Network& network) = 0;
  virtual void drop() = 0;
  // For the destructors of derived classes.
  void end() {
    run_.reset();
    drop();
  }
  [[nodiscard]] const StateFolder& state() const { return state_; }

 private:
  World& world_;
  SimulatedHost& host_;
  CrashPoint crash_;
  MemoryState state_;
  std::optional<Pending<void>> run_;
};

class EdgeMachine final : public Machine {
 public:
  EdgeMachine(World& world, SimulatedHost& host, const edge::EdgeSettings& settings,
              const edge::SidecarRegistry& registry, const Log& log)
      : Machine(world, host), settings_(settings), registry_(registry), log_(log) {}
  ~EdgeMachine() override { end(); }

  void stop() override { edge_->stop(); }
  [[nodiscard]] control::EdgeStatus status() const { return edge_->status(); }

 private:
  Task<> begin(Network& network) override {
    edge_ = std::make_unique<edge::Edge>(network, settings_, registry_, &state(), log_);
    return edge_->run();
  }
  void drop() override { edge_.reset(); }

  edge::EdgeSettings settings_;
  edge::SidecarRegistry registry_;
  const Log& log_;
  std::unique_ptr<edge::Edge> edge_;
};

class SidecarMachine final : public Machine {
 public:
  SidecarMachine(World& world, SimulatedHost& host, sidecar::SidecarConfiguration configuration,
                 const Log& log)
      : Machine(world, host), configuration_(std::move(configuration)), log_(log) {}
  ~SidecarMachine() override { end(); }

  void stop() override { sidecar_->stop(); }
  [[nodiscard]] control::SidecarStatus status() const { return sidecar_->status(); }

 private:
  Task<> begin(Network& network) override {
    sidecar_ = std::make_unique<sidecar::Sidecar>(network, sidecar::SidecarSettings{"simulated"},
                                                  configuration_, &state(), log_);
    return sidecar_->run();
  }
  void drop() override { sidecar_.reset(); }

  sidecar::SidecarConfiguration configuration_;
  const Log& log_;
  std::unique_ptr<sidecar::Sidecar> sidecar_;
};

}  // namespace sidestream
