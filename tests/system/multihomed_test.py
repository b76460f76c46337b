"""An edge with several addresses answers, and calls back, from the one that the sidecar calls."""

import re
import time

import harness
from path_world import EDGE, PORT, World, on_world

OTHER = "203.0.113.2"
BACK_SECONDS_MAX = 4  # of a sidecar that would have to find out by itself: at least 5.5


def use_other_address_by_default(world):
    """The kernel prefers another source than the address that the sidecar knows; what leaves from
    there is counted, and no router on the way would let it in."""
    routes = world.edge_space.run("ip", "-4", "route", "show", "203.0.113.0/24")
    end = re.search(r"dev (\S+)", routes).group(1)
    world.edge_space.run("ip", "address", "add", f"{OTHER}/24", "dev", end)
    world.edge_space.run("ip", "route", "replace", "203.0.113.0/24", "dev", end, "src", OTHER)
    world.edge_space.run("nft", "-f", "-", input=f"""
        table ip seen {{
          chain output {{
            type filter hook output priority 0;
            ip saddr {OTHER} udp sport {world.edge.tunnel_port} counter
          }}
        }}""")


def left_from_other_address(world):
    rules = world.edge_space.run("nft", "list", "table", "ip", "seen")
    return int(re.search(r"counter packets (\d+)", rules).group(1))


def remote_of(sidecar):
    return sidecar.status()["edges"][0]["tunnel"]["remote"]


@on_world
def check_a_restarted_edge_calls_from_the_address_that_was_called(world):
    use_other_address_by_default(world)
    world.connect_seconds()
    times = []
    for signal_of_end in ("kill", "stop"):
        time.sleep(1)
        getattr(world.edge.program, signal_of_end)()
        began = time.monotonic()
        world.edge.start()
        times.append(world.connect_seconds(began))
    harness.expect(left_from_other_address(world) == 0, "nothing leaves by another address")
    harness.expect(remote_of(world.sidecar).startswith(EDGE + ":"), remote_of(world.sidecar))
    harness.expect(max(times) < BACK_SECONDS_MAX, f"{times}")
    kept = (world.edge.folder / "state/endpoints.json").read_text()
    harness.expect(EDGE in kept, kept)
    print(f"several addresses: an edge that was killed, and one that was stopped, are back after "
          f"{times[0]:.1f} and {times[1]:.1f} s; 0 datagrams from the address that nobody called")


@on_world
def check_an_edge_stays_with_the_address_that_is_called(world):
    use_other_address_by_default(world)
    for _ in range(3):
        world.connect_seconds()
        time.sleep(1)
    harness.expect(left_from_other_address(world) == 0, "answers leave from where it was called")
    harness.expect(world.sidecar.endpoints()[f":{PORT}"]["state"] == "published", "published")


if __name__ == "__main__":
    harness.main(globals())
