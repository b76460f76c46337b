"""An edge, and a sidecar behind a router that masquerades, in network namespaces (needs root):

    client ── edge ── internet ── home's router (masquerades) ── home (sidecar, backend)
"""

import pathlib
import sys
import time

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "peers"))

import dns_stub  # noqa: E402
import harness  # noqa: E402
import ticking_streams  # noqa: E402
from namespaces import Namespaces  # noqa: E402
from product import Edge, Sidecar  # noqa: E402

EDGE, ROUTER, ROUTER_LATER = "203.0.113.1", "203.0.113.7", "203.0.113.8"
CLIENT, CLIENTS_GATEWAY = "198.51.100.9", "198.51.100.1"
HOME, HOME_LATER, GATEWAY = "192.168.7.10", "192.168.7.20", "192.168.7.1"
PORT, BACKEND_PORT = 2222, 7000

CONNECT = """
import socket, sys, time
began = float(sys.argv[3]) or time.monotonic()
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
    """`backend`: a command that takes an address and a port, instead of one that echoes; `edge_more`,
    `sidecar_more`: what their configurations say too; `edge_name`: the edge's in tickets, which the
    home asks a name server of its own for (`names` is its file, see dns_stub.py)."""

    def __init__(self, stage, spaces, backend=None, edge_more=None, sidecar_more=None,
                 edge_name=None):
        self.stage = stage
        self.home_addresses = [HOME, HOME_LATER]
        self.router_addresses = [ROUTER, ROUTER_LATER]
        self.home, self.router, self.edge_space, self.client = (
            spaces.add(name) for name in ("home", "router", "edge", "client"))
        self.home_end, inner = spaces.link(self.home, f"{HOME}/24", self.router, f"{GATEWAY}/24")
        self.outer, self.edge_end = spaces.link(self.router, f"{ROUTER}/24", self.edge_space, f"{EDGE}/24")
        spaces.link(self.edge_space, f"{CLIENTS_GATEWAY}/24", self.client, f"{CLIENT}/24")
        self.home.run("ip", "route", "add", "default", "via", GATEWAY)
        self.router.run("ip", "route", "add", "default", "via", EDGE)
        self.client.run("ip", "route", "add", "default", "via", CLIENTS_GATEWAY)
        for space in (self.router, self.edge_space):
            space.run("sysctl", "-qw", "net.ipv4.ip_forward=1")
        self.masquerade()
        if edge_name:
            self.names = self.serve_names()
        self.echo = stage.start("echo", [
            *self.home.enter, *(backend or [sys.executable, ticking_streams.__file__, "echo"]),
            "127.0.0.1", BACKEND_PORT])
        self.echo.wait_for_line("^ready")
        self.edge = Edge(stage, [PORT], address="0.0.0.0", endpoint=edge_name or EDGE,
                         enter=self.edge_space.enter, more=edge_more)
        self.sidecar = Sidecar(stage, [self.edge.invite("home", f":{PORT}")], {
            "echo": {"publish": f":{PORT}", "backend": f"127.0.0.1:{BACKEND_PORT}"}},
            enter=self.home.enter, more=sidecar_more)
        self.sidecar.wait_until_published(f":{PORT}")

    def serve_names(self):
        self.home.use_name_server("127.0.0.1")
        names = self.stage.write("names", EDGE)
        stub = self.stage.start("dns", [*self.home.enter, sys.executable, dns_stub.__file__,
                                        "127.0.0.1", 53, names])
        stub.wait_for_line("^ready")
        return names

    def masquerade(self):
        self.router.run("nft", "-f", "-", input=f"""
            flush ruleset
            table ip nat {{
              chain out {{
                type nat hook postrouting priority srcnat;
                oifname "{self.outer}" masquerade random
              }}
            }}""")

    def set_home_route(self):
        self.home.run("ip", "route", "replace", "default", "via", GATEWAY)

    def move_home(self):
        """The sidecar's host has another address."""
        old, new = self.home_addresses
        self.home.run("ip", "address", "del", f"{old}/24", "dev", self.home_end)
        self.home.run("ip", "address", "add", f"{new}/24", "dev", self.home_end)
        self.set_home_route()
        self.home_addresses.reverse()

    def move_router(self):
        """The router has another address, and so forgets its mappings."""
        old, new = self.router_addresses
        self.router.run("ip", "address", "del", f"{old}/24", "dev", self.outer)
        self.router.run("ip", "address", "add", f"{new}/24", "dev", self.outer)
        self.router.run("ip", "route", "replace", "default", "via", EDGE)
        self.router_addresses.reverse()

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

    def connect_seconds(self, began=None, address=EDGE):
        """From `began` (now; 0: when the client runs) until a client is served that tries again and
        again."""
        done = harness.run([*self.client.enter, sys.executable, "-c", CONNECT, address, PORT,
                            time.monotonic() if began is None else began], seconds=70)
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
