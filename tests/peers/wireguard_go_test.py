"""Our tunnel against Debian's wireguard-go with Linux's TCP on top, in network namespaces (root):
both roles, IPv4 and IPv6 inside, every way of ending a stream, loss, roaming and restarts."""

import contextlib
import json
import os
import pathlib
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "system")]

import harness  # noqa: E402
from namespaces import Namespaces  # noqa: E402
from tunnel_peer import TunnelPeer, peer  # noqa: E402
from wireguard_go import WireGuardGo  # noqa: E402
from wireguard_keys import Keys, peer_section, preshared_key  # noqa: E402

STREAMS = HERE.parent / "system" / "checked_streams.py"
OUR_SIDE, THEIR_SIDE = "192.0.2.1", "192.0.2.2"
PORT = 7000


class Link:
    """Our tunnel in one namespace, wireguard-go in another, a veth pair between them. A backend
    for checked streams runs on both sides."""

    def __init__(self, stage, we_dial=True, ours="10.9.0.1", theirs="10.9.0.2", preshared=None,
                 keepalive=0, mtu=1420):
        self.stage = stage
        self.spaces = stage.enter(Namespaces())
        self.home, self.peer = self.spaces.add("ours"), self.spaces.add("theirs")
        self.ends = self.spaces.link(self.home, f"{OUR_SIDE}/24", self.peer, f"{THEIR_SIDE}/24")
        self.ours, self.theirs = ours, theirs
        width = 128 if ":" in ours else 32
        inside = "[{}]:{}" if ":" in ours else "{}:{}"
        our_keys, their_keys = Keys(), Keys()
        self.their_port = harness.free_port()
        self.out = harness.free_port()
        backend = harness.free_port()
        self.tunnel = TunnelPeer(
            stage, our_keys.private, ours,
            [peer(their_keys.public, f"{theirs}/{width}",
                  f"{THEIR_SIDE}:{self.their_port}" if we_dial else None, preshared,
                  keepalive if we_dial else 0)],
            out={self.out: inside.format(theirs, PORT)}, into={PORT: f"127.0.0.1:{backend}"},
            listen="0.0.0.0:0", enter=self.home.enter, mtu=mtu)
        self.section_ = peer_section(
            our_keys.public, f"{ours}/{width}",
            None if we_dial else f"{OUR_SIDE}:{self.tunnel.port}", preshared,
            0 if we_dial else keepalive)
        self.their_keys_ = their_keys
        self.mtu_ = mtu
        self.start_wireguard_go()
        self.backends = [self.start_backend("our-backend", self.home, "127.0.0.1", backend),
                         self.start_backend("their-backend", self.peer, theirs, PORT)]

    def start_wireguard_go(self):
        width = 64 if ":" in self.theirs else 24
        self.go = WireGuardGo(self.stage, self.peer, self.their_keys_.private,
                              f"{self.theirs}/{width}", [self.section_], self.their_port, self.mtu_)

    def start_backend(self, name, space, address, port):
        backend = self.stage.start(name, [*space.enter, sys.executable, STREAMS, "backend", address,
                                          port, "--seconds", "300"])
        backend.wait_for_line("^ready")
        return backend

    def our_clients(self, *options, **limits):
        return self.clients(self.home, "127.0.0.1", self.out, options, **limits)

    def their_clients(self, *options, **limits):
        return self.clients(self.peer, self.ours, PORT, options, **limits)

    def clients(self, space, address, port, options, seconds=120):
        done = harness.run([*space.enter, sys.executable, STREAMS, "clients", address, port,
                            "--seconds", seconds, *options], seconds=seconds + 30, check=False)
        harness.expect(done.returncode == 0, done.stdout + done.stderr)
        verdict = json.loads(done.stdout)
        print(f"  {verdict['good']} streams, {verdict['bytes'] / 1e6:.0f} MB, "
              f"{verdict['bytes'] * 8 / verdict['seconds'] / 1e6:.0f} Mbit/s")
        return verdict

    def lost_datagrams(self):
        """How many the sockets had no room for, in either namespace."""
        lost = []
        for space in (self.home, self.peer):
            names, values = [line.split() for line in space.run("cat", "/proc/net/snmp").splitlines()
                             if line.startswith("Udp:")]
            lost.append(int(values[names.index("RcvbufErrors")]))
        return lost

    def backends_are_content(self):
        print(f"  datagrams without room: {self.lost_datagrams()}")
        for backend in self.backends:
            harness.expect(backend.stop() == 0, backend.tail())


class Stage(harness.Stage):
    """A stage that also leaves context managers."""

    def __init__(self):
        super().__init__()
        self.contexts_ = contextlib.ExitStack()

    def enter(self, context):
        return self.contexts_.enter_context(context)

    def close(self):
        super().close()
        self.contexts_.close()


def check_we_dial_wireguard_go(stage):
    link = Link(stage, we_dial=True, preshared=preshared_key())
    link.our_clients("--streams", 200)
    link.their_clients("--streams", 200, "--first", 200)
    link.backends_are_content()


def check_wireguard_go_dials_us(stage):
    link = Link(stage, we_dial=False, preshared=preshared_key())
    link.their_clients("--streams", 200)
    link.our_clients("--streams", 200, "--first", 200)
    link.backends_are_content()


def check_ipv6_inside(stage):
    link = Link(stage, ours="fd86::1", theirs="fd86::2")
    link.our_clients("--streams", 50)
    link.their_clients("--streams", 50, "--first", 50)
    link.backends_are_content()


def check_bulk_both_ways(stage):
    link = Link(stage)
    for clients in (link.our_clients, link.their_clients):
        clients("--streams", 2, "--up", 15_000_000, "--down", 1000, "--endings", "client_first")
        clients("--streams", 2, "--up", 1000, "--down", 15_000_000, "--endings", "backend_first")
        clients("--streams", 2, "--up", 10_000_000, "--down", 10_000_000, "--endings", "both")
    link.backends_are_content()


def check_loss_of_three_percent_each_way(stage):
    link = Link(stage)
    link.our_clients("--streams", 1, "--up", 1000, "--down", 1000)
    for space in (link.home, link.peer):
        space.run("nft", "-f", "-", input="table inet loss { chain input { "
                  "type filter hook input priority 0; "
                  "udp length > 0 numgen random mod 1000 < 30 drop; }; }\n")
    # No resets: a lost one is never repeated.
    options = ("--up", 300_000, "--down", 300_000, "--endings", "client_first,backend_first,both")
    link.our_clients("--streams", 30, "--first", 10, *options)
    link.their_clients("--streams", 30, "--first", 100, *options)
    link.backends_are_content()


def while_streaming(link, change, streams=4, size=20_000_000):
    """Makes a change while checked streams flow; returns the verdict of the clients."""
    clients = link.stage.start("clients", [
        *link.home.enter, sys.executable, STREAMS, "clients", "127.0.0.1", link.out,
        "--streams", streams, "--up", size, "--down", size, "--endings", "both",
        "--seconds", 100])
    time.sleep(1)
    harness.expect(clients.running(), f"the streams ended too early\n{clients.tail()}")
    change()
    harness.expect(clients.running(), f"the streams ended too early\n{clients.tail()}")
    harness.expect(clients.wait(110) == 0, clients.tail())


def check_streams_survive_the_peer_moving(stage):
    """wireguard-go changes its port: what it sends next tells us."""
    link = Link(stage)
    while_streaming(link, lambda: link.peer.run("wg", "set", link.go.name, "listen-port",
                                                harness.free_port()))
    link.backends_are_content()


def check_streams_survive_our_address_changing(stage):
    """The address that we sent from goes away: the next packet leaves from the new one."""
    link = Link(stage)

    def move():
        link.home.run("ip", "address", "del", f"{OUR_SIDE}/24", "dev", link.ends[0])
        link.home.run("ip", "address", "add", "192.0.2.77/24", "dev", link.ends[0])
    while_streaming(link, move)
    endpoint = link.peer.run("wg", "show", link.go.name, "endpoints").split()[1]
    harness.expect(endpoint.startswith("192.0.2.77:"), f"the peer sends to {endpoint}")
    link.backends_are_content()


def check_streams_survive_the_peer_restarting(stage):
    """wireguard-go ends and starts again with the same key while Linux's TCP keeps its state."""
    link = Link(stage, keepalive=1)
    link.our_clients("--streams", 1, "--up", 1000, "--down", 1000)
    link.go.program.stop()
    link.start_wireguard_go()
    began = time.monotonic()
    link.our_clients("--streams", 5, "--first", 5)
    seconds = time.monotonic() - began
    print(f"  streams again {seconds:.1f} s after the restart")
    harness.expect(seconds < 20, f"{seconds:.1f} s, WireGuard's own recovery takes 15")


def long_rekeys_under_traffic(stage):
    """400 s of traffic: three rekeys at least, nothing lost."""
    link = Link(stage)
    ages = []
    deadline = time.monotonic() + 400
    number = 0
    while time.monotonic() < deadline:
        number += 10
        link.our_clients("--streams", 10, "--up", 1_000_000, "--down", 1_000_000, "--first", number)
        ages.append(link.go.handshake_age())
    harness.expect(max(ages) < 185, f"a handshake was {max(ages)} s old")
    rekeys = sum(1 for before, after in zip(ages, ages[1:]) if after < before)
    harness.expect(rekeys >= 3, f"{rekeys} rekeys in 400 s")
    link.backends_are_content()


if __name__ == "__main__":
    os.umask(0o077)
    harness.main(globals(), Stage)
