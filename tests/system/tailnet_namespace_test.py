"""A network that was shared with Tailscale's container vanishes: the program says so and ends with
an exit code of its own; while only one of the two is gone it stays. Needs root."""

import contextlib
import os
import time

import harness
from local_api import LocalApi
from product import Edge

NO_NETWORK = 4
ADDRESS = "10.213.78.1"


@contextlib.contextmanager
def namespace():
    name = f"sidestream-{os.getpid()}"
    inside = ["ip", "netns", "exec", name]
    harness.run(["ip", "netns", "add", name])
    try:
        harness.run([*inside, "ip", "link", "set", "lo", "up"])
        yield inside
    finally:
        harness.run(["ip", "netns", "delete", name])


def add_interface(inside):
    harness.run([*inside, "ip", "link", "add", "eth0", "type", "veth", "peer", "name",
                 "eth1"])
    harness.run([*inside, "ip", "address", "add", f"{ADDRESS}/24", "dev", "eth0"])
    harness.run([*inside, "ip", "link", "set", "eth0", "up"])


def check_a_vanished_network_ends_the_program(stage):
    with namespace() as inside:
        add_interface(inside)
        daemon = LocalApi(stage.folder / "tailscaled.sock").start()
        edge = Edge(stage, [harness.free_port()], enter=inside,
                    more={"tailscale": f"unix:{daemon.path}"})
        edge.wait_until_up()
        edge.program.wait_for_line("tailnet ready")
        daemon.stop()
        edge.program.wait_for_line("tailnet not ready")
        daemon.start()
        harness.run([*inside, "ip", "link", "delete", "eth0"])
        time.sleep(6)
        harness.expect(edge.program.running(), "it stays while the daemon answers")
        daemon.stop()
        began = time.monotonic()
        code = edge.program.wait(10)
        harness.expect(code == NO_NETWORK, f"it ended with {code}")
        edge.program.wait_for_line("every network interface is gone")
        print(f"tailnet: it ended {time.monotonic() - began:.1f} s after its network, code {code}")


if __name__ == "__main__":
    harness.main(globals())
