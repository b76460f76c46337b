"""Network namespaces that a test makes and takes away again. Needs root.

    with Namespaces() as spaces:
        home, edge = spaces.add("home"), spaces.add("edge")
        spaces.link(home, "10.77.0.1/24", edge, "10.77.0.2/24")
        edge.run("ping", "-c", "1", "10.77.0.1")
        stage.start("server", [*home.enter, "socat", …])
"""

import os
import pathlib
import shutil
import subprocess

import harness


class Namespace:
    """One network namespace with its loopback up. `enter` before a command runs it inside; the
    process that starts is the command's own."""

    def __init__(self, name):
        self.name = name
        self.enter = [harness.tool("ip"), "netns", "exec", name]
        self.settings = pathlib.Path("/etc/netns") / name

    def run(self, *command, **options):
        return harness.run([*self.enter, *command], **options).stdout

    def use_name_server(self, address):
        """What runs inside asks this name server; `ip netns exec` sees to it."""
        self.settings.mkdir(parents=True)
        (self.settings / "resolv.conf").write_text(f"nameserver {address}\n")


class Namespaces:
    """All namespaces of one test. Their names carry the test's process id."""

    def __init__(self):
        harness.expect(os.geteuid() == 0, "network namespaces need root")
        self.ip_ = harness.tool("ip")
        self.spaces_ = []
        self.links_ = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for space in self.spaces_:
            subprocess.run([self.ip_, "netns", "delete", space.name], check=False)
            shutil.rmtree(space.settings, ignore_errors=True)

    def add(self, name):
        full = f"ss{os.getpid()}-{name}"
        harness.run([self.ip_, "netns", "add", full])
        space = Namespace(full)
        self.spaces_.append(space)
        space.run("ip", "link", "set", "lo", "up")
        return space

    def link(self, left, left_address, right, right_address, mtu=1500):
        """Joins two namespaces with a veth pair. Returns the names of its two ends."""
        self.links_ += 1
        ends = [f"v{os.getpid() % 1000000}{side}{self.links_}" for side in "lr"]
        harness.run([self.ip_, "link", "add", ends[0], "mtu", mtu, "netns", left.name,
                     "type", "veth", "peer", "name", ends[1], "mtu", mtu, "netns", right.name])
        for space, end, address in ((left, ends[0], left_address), (right, ends[1], right_address)):
            space.run("ip", "address", "add", address, "dev", end)
            space.run("ip", "link", "set", end, "up")
        return ends
