"""A line between a home and a VPS, each a network namespace, and the ways to carry streams over it.

A way is made on a Line; its `address` and `port` are where a client at the VPS connects to reach
the traffic server at home.
"""

import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests/system"), str(ROOT / "tests/peers")]

import harness  # noqa: E402  (found by the lines above)
import product  # noqa: E402
import wireguard_keys  # noqa: E402
from wireguard_go import WireGuardGo  # noqa: E402

HOME, VPS = "10.99.0.1", "10.99.0.2"
HOME_INSIDE, VPS_INSIDE = "10.98.0.1", "10.98.0.2"
PORT = 7000
TRAFFIC = pathlib.Path(__file__).with_name("traffic.py")


class Quality:
    """Of both directions: Mbit/s, milliseconds there and back, chance of loss (each way), and the
    queue before the line in bandwidth-delay products."""

    def __init__(self, rate, round_trip, loss=0.0, buffer=1.0):
        self.rate, self.round_trip, self.loss, self.buffer = rate, round_trip, loss, buffer

    def word(self):
        bytes_per_second = int(self.rate * 1e6 / 8)
        queue = max(int(bytes_per_second * self.round_trip / 1000 * self.buffer), 15000)
        return (f"rate={bytes_per_second},delay={int(self.round_trip / 2)},loss={self.loss},"
                f"queue={queue}")


class Line:
    """`quality` None: a veth pair, as fast as the machine."""

    def __init__(self, stage, spaces, quality, program, backend=()):
        self.stage = stage
        self.backend = backend
        self.home, self.vps = spaces.add("home"), spaces.add("vps")
        if quality is None:
            spaces.link(self.home, f"{HOME}/24", self.vps, f"{VPS}/24")
            return
        names = [f"w{self.home.name[2:-5]}{side}" for side in "hv"]
        self.program = stage.start("line", [program, *names, quality.word()])
        self.program.wait_for_line("ready")
        for name, space, address in ((names[0], self.home, HOME), (names[1], self.vps, VPS)):
            harness.run(["ip", "link", "set", name, "netns", space.name])
            space.run("ip", "address", "add", f"{address}/24", "dev", name)
            space.run("ip", "link", "set", name, "txqueuelen", "10000", "up")

    def serve(self, address, congestion):
        """The traffic server at home, or `backend`, a command of another one."""
        if self.backend:
            self.stage.start("server", [*self.home.enter, *self.backend, address,
                                        PORT]).wait_for_line("ready")
            return
        words = [congestion] if congestion else []
        self.stage.start("server", [*self.home.enter, sys.executable, TRAFFIC, "serve", address,
                                    PORT, *words]).wait_for_line("ready")


class KernelTcp:
    """The line itself with the kernel's TCP: no tunnel, no encryption."""

    def __init__(self, line, congestion):
        self.name = f"Linux TCP, {congestion}"
        line.serve(HOME, congestion)
        self.address, self.port = HOME, PORT


class WireGuardGoTunnel:
    """Debian's wireguard-go at both ends, with the kernel's TCP through it."""

    def __init__(self, line, congestion):
        self.name = f"wireguard-go, {congestion}"
        home, vps = wireguard_keys.Keys(), wireguard_keys.Keys()
        WireGuardGo(line.stage, line.vps, vps.private, f"{VPS_INSIDE}/24",
                    [wireguard_keys.peer_section(home.public, f"{HOME_INSIDE}/32")],
                    listen_port=51820)
        WireGuardGo(line.stage, line.home, home.private, f"{HOME_INSIDE}/24",
                    [wireguard_keys.peer_section(vps.public, f"{VPS_INSIDE}/32",
                                                 endpoint=f"{VPS}:51820", keepalive=1)])
        line.serve(HOME_INSIDE, congestion)
        self.address, self.port = HOME_INSIDE, PORT


class Sidestream:
    """Edge and sidecar in user space, as users run them."""

    name = "sidestream"

    def __init__(self, line):
        line.serve("127.0.0.1", None)
        self.port = harness.free_port()
        # All clients of a measurement have one address.
        self.edge = product.Edge(line.stage, [self.port], address=VPS, enter=line.vps.enter,
                                 more={"limits": {"per_client": 16384}})
        ticket = self.edge.invite("home", f":{self.port}")
        self.sidecar = product.Sidecar(
            line.stage, [ticket],
            {"traffic": {"publish": f":{self.port}", "backend": f"127.0.0.1:{PORT}"}},
            enter=line.home.enter)
        self.sidecar.wait_until_published(f":{self.port}")
        self.address = VPS


class HaproxyAlone:
    """HAProxy at the VPS in TCP mode with the backend behind it: the edge's work and no tunnel."""

    name = "HAProxy alone"

    def __init__(self, line):
        line.serve(HOME, None)
        self.address, self.port = VPS, harness.free_port()
        settings = line.stage.write(
            "haproxy.cfg",
            "global\n  maxconn 4000\n  nbthread 1\n"
            "defaults\n  mode tcp\n  timeout connect 5s\n  timeout client 1m\n"
            "  timeout server 1m\n"
            f"frontend public\n  bind {VPS}:{self.port}\n  default_backend home\n"
            f"backend home\n  server home {HOME}:{PORT}\n")
        line.stage.start("haproxy", [*line.vps.enter, harness.tool("haproxy"), "-db", "-f",
                                     settings])
        # `ss` asks in the namespace; a connection would count as a stream.
        harness.eventually(lambda: f":{self.port}" in line.vps.run("ss", "-ltn"), 10,
                           "HAProxy listens")
