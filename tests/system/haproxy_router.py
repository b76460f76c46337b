"""HAProxy with the documented configuration, in front of an edge."""

import re
import signal
import socket

import harness
from router_edge import RouterWorld, documented_configuration, replaced


class Haproxy:
    """In master-worker mode, as Debian's unit starts it."""

    def __init__(self, stage, world, more="", start=True):
        self.stage = stage
        self.socket = stage.folder / "haproxy.sock"
        self.map = world.state / "haproxy.map"
        text = replaced(documented_configuration("haproxy.md", "haproxy"), {
            "/run/haproxy/admin.sock": self.socket,
            "/var/lib/sidestream/haproxy.map": self.map,
            ":::443 v4v6": f"127.0.0.1:{world.names_port}",
            "    bind :::2222 v4v6\n": "",
            ":::50000-50099 v4v6": f"127.0.0.1:{world.raw_port}-{world.last_raw_port}",
            "127.0.0.1:5150": f"127.0.0.1:{world.inlet_port}"}) + more
        self.configuration = stage.write("haproxy.cfg", text)
        self.program = None
        self.starts = 0
        if start:
            self.start()

    def start(self):
        self.starts += 1
        self.program = self.stage.start(f"haproxy-{self.starts}", [
            harness.tool("haproxy"), "-W", "-f", self.configuration])
        harness.eventually(self.answers, 10, "HAProxy's socket answers")
        return self

    def answers(self):
        try:
            return "Pid" in self.ask("show info")
        except OSError:
            return False

    def ask(self, command):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            client.settimeout(5)
            client.connect(str(self.socket))
            client.sendall(command.encode() + b"\n")
            parts = []
            while part := client.recv(65536):
                parts.append(part)
        return b"".join(parts).decode()

    def pid(self):
        return int(re.search(r"^Pid: (\d+)$", self.ask("show info"), re.MULTILINE).group(1))

    def reload(self):
        """As `systemctl reload haproxy`: a new worker for new connections, the old one keeps its
        streams."""
        before = self.pid()
        self.program.signal(signal.SIGUSR2)

        def is_new():
            try:
                return self.pid() != before
            except (OSError, AttributeError):
                return False
        harness.eventually(is_new, 10, "a new worker")

    def entries(self):
        """The map as HAProxy has it, (key, value) in order."""
        lines = self.ask(f"show map {self.map}").splitlines()
        return [tuple(line.split(" ")[1:3]) for line in lines if line]

    def server(self):
        """The address of the edge's server, and its administrative state (0: in use)."""
        words = self.ask("show servers state sidestream").splitlines()[2].split()
        return f"{words[4]}:{words[18]}", words[6]

    def file_entries(self):
        return [tuple(line.split(" ")) for line in self.map.read_text().splitlines()]


def world_with_haproxy(stage, more=""):
    """The edge runs first, so that the map's file is there."""
    socket_path = stage.folder / "haproxy.sock"
    world = RouterWorld(stage, lambda inlet: {"haproxy": {"socket": f"unix:{socket_path}",
                                                          "listen": inlet}})
    world.edge.start().wait_until_up()
    harness.eventually((world.state / "haproxy.map").exists, 10, "the edge has made the map's file")
    return world, Haproxy(stage, world, more)
