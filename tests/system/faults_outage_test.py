"""Faults of what lies between home and edge for long: a host that is away, names that move, mappings
that end, UDP that never worked, IPv6 alone and IPv6 that is broken, peers that die without a word
(docs/reliability.md 2, 3, 6, 9, 18, 19, 20). In network namespaces, so it needs root."""

import os
import signal
import socket
import sys
import time

import harness
from path_world import (BACKEND_PORT, EDGE, PORT, CLIENTS_GATEWAY, Namespaces, World, dns_stub,
                        on_world, ticking_streams)
from product import Edge, Sidecar

EDGE_LATER = "203.0.113.2"
EDGE_NAME = "edge.demo.test"
AWAY_SECONDS = int(os.environ.get("SIDESTREAM_AWAY_SECONDS", "20"))
IDLE_SECONDS = int(os.environ.get("SIDESTREAM_IDLE_SECONDS", "35"))
AGAIN_SECONDS = 5
NAME_SECONDS = 15
MESSAGE_SECONDS = 30
STREAMS = 20
PATIENCE_SECONDS = 60  # the least that the configuration takes
MEGABYTE = 1 << 20


@on_world
def check_2_the_edges_host_is_away(world):
    lines, used, memory = (len(world.sidecar.log_lines()), world.sidecar.cpu_seconds(),
                           world.sidecar.own_bytes())
    world.edge.program.kill()
    world.edge_space.run("ip", "link", "set", world.edge_end, "down")
    time.sleep(AWAY_SECONDS)
    used = world.sidecar.cpu_seconds() - used
    grown = world.sidecar.own_bytes() - memory
    told = len(world.sidecar.log_lines()) - lines
    world.edge_space.run("ip", "link", "set", world.edge_end, "up")
    began = time.monotonic()
    world.edge.start()
    again = world.connect_seconds(began)
    print(f"fault 2: the edge's host is away for {AWAY_SECONDS} s: served {again:.2f} s after its "
          f"start; meanwhile the sidecar used {100 * used / AWAY_SECONDS:.2f} % of a processor, grew "
          f"by {grown >> 10} KiB and told {told} lines")
    harness.expect(again <= AGAIN_SECONDS and used < 0.01 * AWAY_SECONDS and grown < MEGABYTE,
                   (again, used, grown))


def check_3_the_edges_name_gets_another_address(stage):
    with Namespaces() as spaces:
        world = World(stage, spaces, edge_name=EDGE_NAME)
        time.sleep(3)
        world.edge_space.run("ip", "address", "add", f"{EDGE_LATER}/24", "dev", world.edge_end)
        world.edge_space.run("ip", "address", "del", f"{EDGE}/24", "dev", world.edge_end)
        # The second address goes with the first one where it was made its companion.
        world.edge_space.run("ip", "address", "replace", f"{EDGE_LATER}/24", "dev", world.edge_end)
        world.router.run("ip", "route", "replace", "default", "via", EDGE_LATER)
        time.sleep(8)
        world.names.write_text(EDGE_LATER)
        again = world.connect_seconds(address=CLIENTS_GATEWAY)
        print(f"fault 3: the edge has another address, DNS says so 8 s later: served {again:.2f} s "
              "after that")
        harness.expect(again <= NAME_SECONDS, again)


@on_world
def check_6_mappings_end_after_20_seconds(world):
    for setting in ("nf_conntrack_udp_timeout", "nf_conntrack_udp_timeout_stream"):
        world.router.run("sysctl", "-qw", f"net.netfilter.{setting}=20")
    time.sleep(IDLE_SECONDS)
    seconds = world.connect_seconds(began=0)
    print(f"fault 6: idle for {IDLE_SECONDS} s behind a router that forgets after 20 s: served "
          f"{seconds:.3f} s after the connect")
    harness.expect(seconds < 0.5, seconds)


@on_world
def check_9_udp_never_works(world):
    world.sidecar.program.kill()
    world.block()
    used = 0
    began = time.monotonic()
    world.sidecar.start()
    match = world.sidecar.program.wait_for_line(r"why=.*UDP.*", seconds=MESSAGE_SECONDS)
    told = time.monotonic() - began
    harness.expect(f"{EDGE}:{world.edge.tunnel_port}" in match.group(0), match.group(0))
    used = world.sidecar.cpu_seconds()
    world.unblock()
    again = world.connect_seconds()
    print(f"fault 9: UDP blocked from the start: told after {told:.1f} s: {match.group(0)!r}; "
          f"{used:.2f} s of CPU until then; served {again:.2f} s after the end")


class TwoFamilies:
    """Home and edge on one wire, with IPv6 and, if wanted, IPv4 between them."""

    def __init__(self, stage, spaces, home_has_ipv4):
        self.stage = stage
        self.home, self.edge_space = spaces.add("home"), spaces.add("edge")
        home_end, edge_end = spaces.link(self.home, "192.168.7.10/24", self.edge_space,
                                         "192.168.7.1/24")
        for space, end, address in ((self.home, home_end, "2001:db8::10/64"),
                                    (self.edge_space, edge_end, "2001:db8::1/64")):
            space.run("ip", "address", "add", address, "dev", end, "nodad")
        if not home_has_ipv4:
            self.home.run("ip", "-4", "address", "flush", "dev", home_end)
        self.home.use_name_server("127.0.0.1")
        names = stage.write("names", "192.168.7.1 2001:db8::1")
        stub = stage.start("dns", [*self.home.enter, sys.executable, dns_stub.__file__,
                                   "127.0.0.1", 53, names])
        stub.wait_for_line("^ready")
        self.edge = Edge(stage, [PORT], address="0.0.0.0", endpoint=EDGE_NAME,
                         enter=self.edge_space.enter, start=False)
        self.edge.configuration["tunnel"]["listen"] = f"[::]:{self.edge.tunnel_port}"
        self.edge.start().wait_until_up()

    def seconds_until_published(self, name):
        sidecar = Sidecar(self.stage, [self.edge.invite(name, f":{PORT}")], {
            "it": {"publish": f":{PORT}", "backend": f"127.0.0.1:{BACKEND_PORT}",
                   "health": "none"}}, name=name, enter=self.home.enter)
        seconds = sidecar.wait_until_published(f":{PORT}")
        sidecar.program.stop()
        return seconds


def check_18_a_home_with_ipv6_alone(stage):
    with Namespaces() as spaces:
        seconds = TwoFamilies(stage, spaces, home_has_ipv4=False).seconds_until_published("home")
        print(f"fault 18: a home without IPv4, an edge with both: published {seconds:.2f} s after "
              "the start")
        harness.expect(seconds <= 2, seconds)


def check_19_ipv6_is_broken(stage):
    with Namespaces() as spaces:
        world = TwoFamilies(stage, spaces, home_has_ipv4=True)
        good = world.seconds_until_published("good")
        world.edge_space.run("nft", "-f", "-", input="""
            table ip6 block {
              chain in {
                type filter hook input priority 0;
                meta l4proto udp drop
              }
            }""")
        broken = world.seconds_until_published("broken")
        print(f"fault 19: IPv6 has a route and no answers: published {broken:.2f} s after the start, "
              f"{good:.2f} s where it works")
        harness.expect(broken <= good + 1.2, (good, broken))


def long_20_a_peer_dies_without_a_word(stage):
    """Streams wait for their path as long as `patience` says, and no longer."""
    short = {"tunnel": {"patience": f"{PATIENCE_SECONDS}s"}}
    with Namespaces() as spaces:
        world = World(stage, spaces, sidecar_more=short)
        world.edge.configuration["tunnel"].update(short["tunnel"])
        world.edge.program.kill()
        world.edge.start()
        world.connect_seconds()
        time.sleep(2)
        before = (world.edge.descriptors(), world.sidecar.descriptors())
        world.stage.start("streams", [*world.client.enter, sys.executable, ticking_streams.__file__,
                                      "clients", EDGE, PORT, "--seconds", 300, "--streams",
                                      STREAMS]).wait_for_line("^up")
        world.block()
        began = time.monotonic()
        times = {}

        def given_back():
            now = (world.edge.descriptors(), world.sidecar.descriptors())
            for name, count, first in zip(("edge", "sidecar"), now, before):
                if count <= first:
                    times.setdefault(name, time.monotonic() - began)
            return len(times) == 2
        harness.eventually(given_back, 2 * PATIENCE_SECONDS, f"descriptors {before} again")
        print(f"fault 20: the path dies with {STREAMS} streams, patience {PATIENCE_SECONDS} s: the "
              f"edge has its descriptors back after {times['edge']:.1f} s, the sidecar after "
              f"{times['sidecar']:.1f} s")


if __name__ == "__main__":
    os.umask(0o077)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    socket.setdefaulttimeout(30)
    harness.main(globals())
