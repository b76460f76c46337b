"""Churn for a while: short streams by the thousand, long ones that stay, and a path between sidecar and
edge that is moved, unplugged or silent again and again. Every byte is checked, nothing may be lost, and
afterwards both programs hold what they held before. In network namespaces, so it needs root.

    soak_test.py                          half a minute
    soak_test.py long_an_hour_of_churn    an hour; SIDESTREAM_SOAK_SECONDS says how long instead

Memory is what the kernel counts as anonymous and resident (smaps_rollup): heap and stack. It is read
when the tunnel's connections have left TIME-WAIT and the program has returned what its allocator held;
once after a minute of churn and once after the hour.
"""

import itertools
import json
import os
import time

import harness
from path_world import EDGE, PORT, Namespaces, World

RATE = int(os.environ.get("SIDESTREAM_SOAK_RATE", "1000"))  # short streams a second
LONG_STREAMS = 1000
HOUR_SECONDS = int(os.environ.get("SIDESTREAM_SOAK_SECONDS", "3600"))
WARM_UP_SECONDS = 60
# Less than an edge's patience with a dial, 4 s: no client sees more than a pause.
SILENCE_SECONDS = 2
# TIME-WAIT in the tunnel is 60 s; free memory is returned every 10 s.
QUIET_SECONDS = 75
GROWTH_BYTES_MAX = 1 << 20


def churn():
    path = os.environ.get("SIDESTREAM_CHURN") or harness.ROOT / "build/dev/tests/system/churn"
    harness.expect(os.path.isfile(path), f"{path} does not exist: run dev/build dev churn")
    return str(path)


def silence(world):
    world.block()
    time.sleep(SILENCE_SECONDS)
    world.unblock()


def unplug(world):
    world.home.run("ip", "link", "set", world.home_end, "down")
    time.sleep(SILENCE_SECONDS)
    world.home.run("ip", "link", "set", world.home_end, "up")
    world.set_home_route()


CHANGES = {"the home moves": lambda world: world.move_home(),
           "the router moves": lambda world: world.move_router(),
           "UDP is blocked": silence,
           "the cable is out": unplug}


def held(role):
    """What one of the programs holds now."""
    status = role.status()
    streams = sum(one["streams"] for one in status["services"]) if "services" in status else \
        status["streams"]
    return {"descriptors": role.descriptors(), "streams": streams,
            "tunnel connections": status["tunnel_connections"], "timers": status["timers"]}


def held_at_most(role, seconds=6):
    """The same over a while: a heartbeat now and then has a timer of its own."""
    end = time.monotonic() + seconds
    most = held(role)
    while time.monotonic() < end:
        most = {name: max(count, most[name]) for name, count in held(role).items()}
    return most


class Soak:
    def __init__(self, world):
        self.world = world
        # A client's ports are used again at once, so that one address can be a thousand clients.
        for setting in ("tcp_tw_reuse=1", "ip_local_port_range=1024 65535"):
            world.client.run("sysctl", "-qw", f"net.ipv4.{setting}")
        self.roles = {"edge": world.edge, "sidecar": world.sidecar}
        self.before = {name: held_at_most(role) for name, role in self.roles.items()}
        self.at_start = self.memory()
        self.changes = itertools.cycle(CHANGES.items())

    def memory(self):
        return {name: role.own_bytes() for name, role in self.roles.items()}

    def load(self, seconds, rate=RATE, every=60.0):
        """Churn, with a change of the path every so often. Returns what the clients say at the end."""
        clients = self.world.stage.start(f"clients-{time.monotonic():.0f}", [
            *self.world.client.enter, churn(), "clients", EDGE, PORT, seconds, rate, LONG_STREAMS])
        clients.wait_for_line("^up", seconds=70)
        end = time.monotonic() + seconds
        made = 0
        while time.monotonic() + every < end:
            time.sleep(every)
            name, change = next(self.changes)
            change(self.world)
            made += 1
            print(f"  {made}: {name}; {self.progress(clients)}", flush=True)
        clients.wait(end - time.monotonic() + 90)
        verdict = json.loads(clients.output().splitlines()[-1])
        print(f"  {json.dumps(verdict)}", flush=True)
        return {**verdict, "changes": made}

    @staticmethod
    def expect_nothing_lost(verdict):
        """After everything else was looked at."""
        lost = verdict["skipped"] + sum(verdict[kind]["failed"] for kind in ("short", "long"))
        harness.expect(not lost, f"streams were not as planned: {verdict}")

    def progress(self, clients):
        memory = {name: count >> 10 for name, count in self.memory().items()}
        words = clients.output().splitlines()[-1]
        failed = "?" if not words.startswith("{") else sum(
            json.loads(words)[kind]["failed"] for kind in ("short", "long"))
        return f"{failed} failed, KiB {memory}"

    def expect_as_before(self, seconds=30):
        for name, role in self.roles.items():
            last = {}

            def given_back():
                last.update(held(role))
                return all(last[what] <= self.before[name][what] for what in last)
            harness.eventually(given_back, seconds, f"the {name} holds {self.before[name]} again, "
                                                    f"not {last}")


def on_soak(check):
    """The check gets a Soak. A line of log for each of millions of streams would fill the disk."""
    def run(stage):
        log = {"log": {"level": "warn"}}
        with Namespaces() as spaces:
            check(Soak(World(stage, spaces, [churn(), "serve"], sidecar_more=log, edge_more={
                **log, "limits": {"per_client": 16384}})))
    run.__name__ = check.__name__
    return run


def summary(verdict):
    short, long = verdict["short"], verdict["long"]
    return (f"{short['begun']} short streams in {verdict['seconds']:.0f} s, "
            f"{short['begun'] / verdict['seconds']:.0f} a second, {short['failed']} failed, the slowest "
            f"answer after {short['slowest']:.2f} s; {long['begun']} long ones, {long['failed']} lost, "
            f"the longest pause {long['slowest']:.2f} s; {verdict['changes']} changes of the path")


@on_soak
def check_churn_for_half_a_minute(soak):
    # As many as a small machine can make beside other tests.
    verdict = soak.load(18, rate=min(RATE, 300), every=4)
    soak.expect_as_before()
    print(f"{summary(verdict)}; both hold what they held before: {soak.before}")
    soak.expect_nothing_lost(verdict)


@on_soak
def long_an_hour_of_churn(soak):
    soak.load(WARM_UP_SECONDS)
    soak.expect_as_before()
    time.sleep(QUIET_SECONDS)
    first = soak.memory()
    used = {name: role.cpu_seconds() for name, role in soak.roles.items()}
    verdict = soak.load(HOUR_SECONDS)
    used = {name: round(role.cpu_seconds() - used[name]) for name, role in soak.roles.items()}
    peak = soak.memory()
    soak.expect_as_before()
    time.sleep(QUIET_SECONDS)
    last = soak.memory()
    kibibytes = [{name: count >> 10 for name, count in memory.items()}
                 for memory in (soak.at_start, first, peak, last)]
    print(f"{summary(verdict)}; processor time {used} s; both hold what they held before: "
          f"{soak.before}; memory in KiB: {kibibytes[0]} at the start, {kibibytes[1]} after a minute "
          f"of it, {kibibytes[2]} at its end, {kibibytes[3]} {QUIET_SECONDS} s after that")
    harness.expect(all(last[name] < first[name] + GROWTH_BYTES_MAX for name in last),
                   "memory has grown")
    soak.expect_nothing_lost(verdict)


if __name__ == "__main__":
    harness.main(globals())
