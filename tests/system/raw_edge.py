"""An edge that a test plays by hand: it has a sidecar's tunnel, but no control port, and sends on
streams to the sidecar whatever the test sends."""

import pathlib
import socket
import sys

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "peers"))

import harness  # noqa: E402
from product import Sidecar  # noqa: E402
from tunnel_peer import TunnelPeer, peer  # noqa: E402
from wireguard_keys import Keys, preshared_key  # noqa: E402

EDGE_ADDRESS, SIDECAR_ADDRESS = "10.99.0.1", "10.99.0.2"
# Where a sidecar listens in its tunnel (sidecar/edge_link_io.h): for all names, for one service.
NAME_ROUTER_PORT, FIRST_SERVICE_PORT = 443, 20000


class RawEdge:
    """`sidecar` is a real one with these services, whose only edge is this."""

    def __init__(self, stage, services):
        ours, theirs, preshared = Keys(), Keys(), preshared_key()
        self.local = {port: harness.free_port() for port in (NAME_ROUTER_PORT, FIRST_SERVICE_PORT)}
        outside = harness.free_port()
        self.tunnel = TunnelPeer(
            stage, ours.private, EDGE_ADDRESS,
            [peer(theirs.public, f"{SIDECAR_ADDRESS}/32", preshared=preshared)],
            out={local: f"{SIDECAR_ADDRESS}:{port}" for port, local in self.local.items()},
            listen=f"127.0.0.1:{outside}", name="raw-edge")
        self.sidecar = Sidecar(stage, [], services, edges=[{
            "endpoint": f"127.0.0.1:{outside}", "public_key": ours.public,
            "private_key": f"${{file:{stage.write('sidecar.key', theirs.private)}}}",
            "preshared_key": preshared, "address": SIDECAR_ADDRESS, "edge_address": EDGE_ADDRESS}])
        self.sidecar.program.wait_for_line("tunnel up")

    def dial(self, port, seconds=20):
        return socket.create_connection(("127.0.0.1", self.local[port]), seconds)
