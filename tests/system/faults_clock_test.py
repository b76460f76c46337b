"""Clocks that are wrong, jump, and stand still (docs/reliability.md 23 to 26). The clock of a program
is moved by a library that stands between it and the system: faulty_libc_io.cpp."""

import json
import shutil
import signal
import sys
import time

import harness
import ticking_streams
from faulty_libc import FaultyLibc
from product import Edge, Sidecar

YEAR = 365 * 24 * 3600
UP_SECONDS = 5
AGAIN_SECONDS = 2


def to_2020():
    """Seconds from now to the first of January 2020."""
    return 1_577_836_800 - int(time.time())


class Chain:
    """Both programs with clocks of their own, and an echo behind them."""

    def __init__(self, stage):
        self.stage = stage
        backend = harness.free_port()
        stage.start("echo", [sys.executable, ticking_streams.__file__, "echo", "127.0.0.1",
                             backend]).wait_for_line("^ready")
        self.clocks = {name: FaultyLibc(stage, name) for name in ("edge", "sidecar")}
        for clock in self.clocks.values():
            clock["failing_allocation"] = -1
        self.port = harness.free_port()
        self.edge = Edge(stage, [self.port], environment=self.clocks["edge"].environment)
        self.sidecar = Sidecar(stage, [self.edge.invite("home", f":{self.port}")], {
            "echo": {"publish": f":{self.port}", "backend": f"127.0.0.1:{backend}"}},
            environment=self.clocks["sidecar"].environment)
        self.sidecar.wait_until_published(f":{self.port}")

    def restart_sidecar(self):
        """How long it takes to be published again, and what it has logged."""
        began = time.monotonic()
        self.sidecar.start()
        self.sidecar.wait_until_published(f":{self.port}", seconds=30)
        return time.monotonic() - began

    def streams(self, seconds, streams=20):
        clients = self.stage.start("clients", [
            sys.executable, ticking_streams.__file__, "clients", "127.0.0.1", self.port,
            "--streams", streams, "--seconds", seconds])
        clients.wait_for_line("^up", 20)
        return clients


def check_23_a_clock_in_2020_at_the_start(stage):
    chain = Chain(stage)
    chain.sidecar.program.kill()
    chain.clocks["sidecar"]["wall_offset_seconds"] = to_2020()
    took = chain.restart_sidecar()
    lines = [line for line in chain.sidecar.log_lines() if "clock" in line]
    print(f"fault 23: a sidecar whose clock is in 2020 at its start is published after {took:.2f} s, "
          f"and says: {lines}")
    harness.expect(took < UP_SECONDS, took)
    harness.expect(len(lines) == 1, lines)


def check_24_clocks_jump_a_year_and_back(stage):
    chain = Chain(stage)
    clients = chain.streams(8)
    before = [len(role.log_lines()) for role in (chain.edge, chain.sidecar)]
    for offset in (YEAR, 0, -YEAR, 0):
        for clock in chain.clocks.values():
            clock["wall_offset_seconds"] = offset
        time.sleep(1.5)
    code = clients.wait(20)
    verdict = json.loads(clients.output().splitlines()[-1])
    more = [len(role.log_lines()) - lines
            for role, lines in zip((chain.edge, chain.sidecar), before)]
    print(f"fault 24: clocks jump a year and back, twice: {verdict['lost']} of "
          f"{verdict['streams']} streams lost, the longest waited {verdict['pause']:.2f} s; "
          f"{more} lines of log")
    harness.expect(code == 0 and verdict["lost"] == 0, verdict)
    harness.expect(verdict["pause"] < 1, verdict)
    # One for each stream that has ended, and few others.
    harness.expect(max(more) <= verdict["streams"] + 4, more)
    chain.sidecar.wait_until_published(f":{chain.port}")


def long_25_a_home_is_suspended(stage):
    """Stopped for longer than a lease and a session live, with the clock an hour later afterwards."""
    chain = Chain(stage)
    chain.sidecar.program.signal(signal.SIGSTOP)
    time.sleep(200)
    chain.clocks["sidecar"]["wall_offset_seconds"] = 3600
    chain.sidecar.program.signal(signal.SIGCONT)
    began = time.monotonic()
    chain.sidecar.wait_until_published(f":{chain.port}", seconds=30)
    chain.streams(1).wait(20)
    took = time.monotonic() - began - 1
    print(f"fault 25: a sidecar that stood still for 200 s serves {took:.2f} s after it goes on")
    harness.expect(took < AGAIN_SECONDS + 1, took)


def check_26_state_and_clock_are_lost_together(stage):
    chain = Chain(stage)
    chain.sidecar.program.kill()
    shutil.rmtree(chain.sidecar.folder / "state")
    chain.clocks["sidecar"]["wall_offset_seconds"] = to_2020()
    chain.sidecar.start()
    time.sleep(25)
    lines = [line for line in chain.sidecar.log_lines() if "clock" in line]
    print(f"fault 26: without state and with a clock in 2020 the sidecar says: {lines}")
    harness.expect(len(lines) == 1 and "set the clock" in lines[0], lines)
    # And goes on by itself when somebody has done that.
    chain.clocks["sidecar"]["wall_offset_seconds"] = 0
    began = time.monotonic()
    chain.sidecar.wait_until_published(f":{chain.port}", seconds=30)
    print(f"fault 26: published {time.monotonic() - began:.2f} s after the clock was set")


if __name__ == "__main__":
    harness.main(globals())
