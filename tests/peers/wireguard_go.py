"""Debian's wireguard-go in a network namespace of its own, with Linux's TCP on top of it."""

import itertools
import os
import pathlib
import time

import harness

_numbers = itertools.count()


class WireGuardGo:
    """An interface in `space`, served by one wireguard-go process that the stage ends. `peers` are
    the texts of [Peer] sections; without `listen_port` the port is random."""

    def __init__(self, stage, space, private_key, address, peers, listen_port=None, mtu=1420):
        self.space = space
        self.name = f"wg{os.getpid() % 1000000}n{next(_numbers)}"
        self.program = stage.start(
            self.name, [*space.enter, harness.tool("wireguard-go"), "-f", self.name],
            env={**os.environ, "LOG_LEVEL": "error",
                 "WG_I_PREFER_BUGGY_USERSPACE_TO_POLISHED_KMOD": "1"})
        control = pathlib.Path("/var/run/wireguard") / f"{self.name}.sock"
        harness.eventually(control.exists, 10, "wireguard-go opens its control socket")
        port = f"ListenPort = {listen_port}\n" if listen_port else ""
        settings = stage.write(f"{self.name}.conf", f"[Interface]\nPrivateKey = {private_key}\n"
                                                    f"{port}{''.join(peers)}")
        space.run("wg", "setconf", self.name, settings)
        space.run("ip", "address", "add", address, "dev", self.name)
        space.run("ip", "link", "set", self.name, "mtu", mtu, "up")

    def handshake_age(self):
        """Seconds since the last handshake of the only peer; None when there was none."""
        seconds = self.space.run("wg", "show", self.name, "latest-handshakes").split()[1]
        return None if seconds == "0" else time.time() - int(seconds)
