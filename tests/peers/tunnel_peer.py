"""Our tunnel as one of the two peers: the program tunnel_peer, which joins loopback TCP to the
user-space tunnel, so that what flows can be made and checked with ordinary sockets."""

import os
import pathlib

import harness


class TunnelPeer:
    """A running tunnel_peer. `peers` are dictionaries of its --peer settings; `out` maps a loopback
    port to HOST:PORT inside the tunnel, `into` a port of our tunnel address to HOST:PORT outside."""

    def __init__(self, stage, private_key, address, peers, out=None, into=None,
                 listen="127.0.0.1:0", name="ours", enter=(), mtu=1420):
        path = os.environ.get("SIDESTREAM_TUNNEL_PEER") or (
            harness.ROOT / "build/dev/tests/peers/tunnel_peer")
        harness.expect(pathlib.Path(path).is_file(), f"{path} does not exist: run dev/build dev")
        command = [*enter, path, "--private-key", stage.write(f"{name}.key", private_key),
                   "--address", address, "--listen", listen, "--mtu", mtu]
        for peer in peers:
            command += ["--peer", ",".join(f"{key}={value}" for key, value in peer.items())]
        for port, target in (out or {}).items():
            command += ["--out", f"127.0.0.1:{port}={target}"]
        for port, target in (into or {}).items():
            command += ["--in", f"{port}={target}"]
        self.program = stage.start(name, command)
        ready = self.program.wait_for_line(r"^ready on \S+:(\d+)$")
        self.port = int(ready.group(1))


def peer(public_key, allowed, endpoint=None, preshared=None, keepalive=0):
    settings = {"key": public_key, "allowed": allowed}
    if endpoint:
        settings["endpoint"] = endpoint
    if preshared:
        settings["preshared"] = preshared
    if keepalive:
        settings["keepalive"] = keepalive
    return settings
