"""Faults of the path between sidecar and edge: restarts, new addresses, routers that forget, UDP
that is blocked (docs/reliability.md 1, 4, 5, 7, 17). In network namespaces, so it needs root:

    client ── edge ── internet ── home's router (masquerades) ── home (sidecar, backend)
"""

import json
import os
import pathlib
import signal
import sys
import time

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "peers"))

import harness  # noqa: E402
import ticking_streams  # noqa: E402
from namespaces import Namespaces  # noqa: E402
from product import Edge, Sidecar  # noqa: E402

EDGE, ROUTER, ROUTER_LATER = "203.0.113.1", "203.0.113.7", "203.0.113.8"
CLIENT, CLIENTS_GATEWAY = "198.51.100.9", "198.51.100.1"
HOME, HOME_LATER, GATEWAY = "192.168.7.10", "192.168.7.20", "192.168.7.1"
PORT, BACKEND_PORT = 2222, 7000
AGAIN_SECONDS = 5
ROUNDS = int(os.environ.get("SIDESTREAM_ROUNDS", "5"))

CONNECT = """
import socket, sys, time
began = float(sys.argv[3])
while time.monotonic() < began + 60:
    try:
        with socket.create_connection((sys.argv[1], int(sys.argv[2])), 1) as one:
            one.settimeout(1)
            one.sendall(b"12345678")
            if one.recv(8) == b"12345678":
                print(time.monotonic() - began)
                break
    except OSError:
        pass
    time.sleep(0.02)
"""


class World:
    def __init__(self, stage, spaces):
        self.stage = stage
        self.home, self.router, self.edge_space, self.client = (
            spaces.add(name) for name in ("home", "router", "edge", "client"))
        self.home_end, inner = spaces.link(self.home, f"{HOME}/24", self.router, f"{GATEWAY}/24")
        self.outer, _ = spaces.link(self.router, f"{ROUTER}/24", self.edge_space, f"{EDGE}/24")
        spaces.link(self.edge_space, f"{CLIENTS_GATEWAY}/24", self.client, f"{CLIENT}/24")
        self.home.run("ip", "route", "add", "default", "via", GATEWAY)
        self.router.run("ip", "route", "add", "default", "via", EDGE)
        self.client.run("ip", "route", "add", "default", "via", CLIENTS_GATEWAY)
        for space in (self.router, self.edge_space):
            space.run("sysctl", "-qw", "net.ipv4.ip_forward=1")
        self.masquerade()
        self.echo = stage.start("echo", [*self.home.enter, sys.executable,
                                         ticking_streams.__file__, "echo", "127.0.0.1",
                                         BACKEND_PORT])
        self.echo.wait_for_line("^ready")
        self.edge = Edge(stage, [PORT], address="0.0.0.0", endpoint=EDGE,
                         enter=self.edge_space.enter)
        self.sidecar = Sidecar(stage, [self.edge.invite("home", f":{PORT}")], {
            "echo": {"publish": f":{PORT}", "backend": f"127.0.0.1:{BACKEND_PORT}"}},
            enter=self.home.enter)
        self.sidecar.wait_until_published(f":{PORT}")

    def masquerade(self):
        self.router.run("nft", "-f", "-", input=f"""
            flush ruleset
            table ip nat {{
              chain out {{
                type nat hook postrouting priority srcnat;
                oifname "{self.outer}" masquerade random
              }}
            }}""")

    def block(self, direction=""):
        """Nothing of UDP passes the router ("udp sport"/"udp dport": in one direction)."""
        match = f"{direction} {self.edge.tunnel_port}" if direction else "meta l4proto udp"
        self.router.run("nft", "-f", "-", input=f"""
            table ip block {{
              chain forward {{
                type filter hook forward priority 0;
                {match} drop
              }}
            }}""")

    def unblock(self):
        self.router.run("nft", "delete", "table", "ip", "block")

    def connect_seconds(self, began=None):
        """From `began` (now) until a client is served that tries again and again."""
        done = harness.run([*self.client.enter, sys.executable, "-c", CONNECT, EDGE, PORT,
                            began or time.monotonic()], seconds=70)
        harness.expect(done.stdout.strip(), "no client was served within a minute")
        return float(done.stdout)

    def ticking(self, seconds, name):
        program = self.stage.start(name, [
            *self.client.enter, sys.executable, ticking_streams.__file__, "clients", EDGE, PORT,
            "--seconds", seconds, "--streams", 20])
        program.wait_for_line("^up", seconds=20)
        return program


def on_world(check):
    """The check gets a World."""
    def run(stage):
        with Namespaces() as spaces:
            check(World(stage, spaces))
    run.__name__ = check.__name__
    return run


def verdict_of(program):
    program.wait(90)
    return json.loads(program.output().splitlines()[-1])


def worst_of(times):
    """The 95th percentile is the worst of so few."""
    return f"worst of {len(times)}: {max(times):.2f} s (all: {' '.join(f'{t:.2f}' for t in times)})"


@on_world
def check_1_the_edge_is_killed_and_started_again(world):
    for busy in (False, True):
        times = []
        for number in range(ROUNDS):
            time.sleep(3 + 0.7 * number)
            if busy:
                world.ticking(20, f"busy-{number}")
            world.edge.program.kill()
            time.sleep(2)
            began = time.monotonic()
            world.edge.start()
            times.append(world.connect_seconds(began))
        print(f"fault 1: edge killed, back after 2 s, {'busy' if busy else 'idle'}: first good "
              f"connect after its start, {worst_of(times)}")
        harness.expect(max(times) <= AGAIN_SECONDS, times)


@on_world
def check_1_without_a_word_from_the_edge(world):
    """An edge whose file of endpoints is lost has to wait until the sidecar misses it."""
    times = []
    for number in range(ROUNDS):
        time.sleep(3 + 0.7 * number)
        world.edge.program.kill()
        (world.edge.folder / "state" / "endpoints.json").unlink(missing_ok=True)
        time.sleep(2)
        began = time.monotonic()
        world.edge.start()
        times.append(world.connect_seconds(began))
    print(f"fault 1: the same without endpoints.json, {worst_of(times)}")
    harness.expect(max(times) <= AGAIN_SECONDS, times)


@on_world
def check_4_the_sidecar_gets_a_new_address(world):
    addresses = [HOME, HOME_LATER]
    for busy in (True, False):
        times, pauses, lost = [], [], 0
        for number in range(ROUNDS):
            old, new = addresses
            live = world.ticking(8, f"live-{busy}-{number}") if busy else None
            time.sleep(1)
            world.home.run("ip", "address", "del", f"{old}/24", "dev", world.home_end)
            world.home.run("ip", "address", "add", f"{new}/24", "dev", world.home_end)
            world.home.run("ip", "route", "replace", "default", "via", GATEWAY)
            times.append(world.connect_seconds())
            addresses.reverse()
            if live:
                verdict = verdict_of(live)
                lost += verdict["lost"]
                pauses.append(verdict["pause"])
        live_text = f"; {lost} of {20 * ROUNDS} live streams lost, longest pause " \
                    f"{max(pauses):.2f} s" if busy else ""
        print(f"fault 4: new address, {'busy' if busy else 'idle'}: a client is served, "
              f"{worst_of(times)}{live_text}")
        harness.expect(lost == 0 and max(times) <= AGAIN_SECONDS, (lost, times))


@on_world
def check_5_the_router_gets_a_new_address_and_forgets(world):
    addresses = [ROUTER, ROUTER_LATER]
    times, pauses, lost = [], [], 0
    for number in range(ROUNDS):
        old, new = addresses
        live = world.ticking(8, f"live-{number}")
        time.sleep(1)
        world.router.run("ip", "address", "del", f"{old}/24", "dev", world.outer)
        world.router.run("ip", "address", "add", f"{new}/24", "dev", world.outer)
        world.router.run("ip", "route", "replace", "default", "via", EDGE)
        times.append(world.connect_seconds())
        addresses.reverse()
        verdict = verdict_of(live)
        lost += verdict["lost"]
        pauses.append(verdict["pause"])
    print(f"fault 5: the router's mappings and address are others: a client is served, "
          f"{worst_of(times)}; {lost} of {20 * ROUNDS} live streams lost, longest pause "
          f"{max(pauses):.2f} s")
    harness.expect(lost == 0, lost)


def blocked(world, seconds, direction=""):
    live = world.ticking(seconds + 20, "live")
    used = world.sidecar.cpu_seconds()
    world.block(direction)
    time.sleep(seconds)
    used = world.sidecar.cpu_seconds() - used
    world.unblock()
    back = world.connect_seconds()
    verdict = verdict_of(live)
    harness.expect(verdict["lost"] == 0, verdict)
    return back, verdict, used


@on_world
def check_7_udp_is_blocked_for_a_while(world):
    back, verdict, used = blocked(world, 30)
    print(f"fault 7: UDP blocked for 30 s: a client is served {back:.2f} s after that, "
          f"{verdict['lost']} of {verdict['streams']} live streams lost, sidecar's CPU {used:.2f} s")
    harness.expect(back <= AGAIN_SECONDS, back)


@on_world
def long_7_udp_is_blocked_for_ten_minutes(world):
    back, verdict, used = blocked(world, 600)
    print(f"fault 7: UDP blocked for 600 s: a client is served {back:.2f} s after that, "
          f"{verdict['lost']} of {verdict['streams']} live streams lost, sidecar's CPU {used:.2f} s")


@on_world
def check_17_one_direction_is_dead(world):
    world.block("udp sport")
    began = time.monotonic()
    world.sidecar.program.wait_for_line("edge does not answer", seconds=10)
    noticed = time.monotonic() - began
    world.unblock()
    back = world.connect_seconds()
    print(f"fault 17: nothing from the edge: noticed after {noticed:.2f} s, a client is served "
          f"{back:.2f} s after that is over")
    harness.expect(noticed <= 6, noticed)


if __name__ == "__main__":
    os.umask(0o077)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    harness.main(globals())
