"""Paths that carry no packets as large as ours: they drop them and do not say so, from the start or
in the middle of a stream, or it is the home's own uplink (docs/reliability.md 13, 14, 15). In network
namespaces, so it needs root.
"""

import os
import re
import signal
import sys

import harness
from path_world import EDGE, PORT, on_world

MEGABYTES = int(os.environ.get("SIDESTREAM_MEGABYTES", "64"))

# Sends so many MB and gets them back. Says the longest time without a byte, in seconds.
COPY = """
import hashlib, socket, sys, threading, time
size = int(sys.argv[3]) << 20
piece = bytes(range(256)) * 256
there, back = hashlib.sha256(), hashlib.sha256()
one = socket.create_connection((sys.argv[1], int(sys.argv[2])), 10)
one.settimeout(60)
def send():
    for _ in range(size // len(piece)):
        there.update(piece)
        one.sendall(piece)
    one.shutdown(socket.SHUT_WR)
sender = threading.Thread(target=send)
sender.start()
began = last = time.monotonic()
longest = got = 0
while chunk := one.recv(1 << 18):
    now = time.monotonic()
    longest, last = max(longest, now - last), now
    back.update(chunk)
    if got >> 23 != (got + len(chunk)) >> 23:
        print("at", (got + len(chunk)) >> 20, flush=True)
    got += len(chunk)
sender.join()
assert got == size and there.digest() == back.digest(), (got, size)
print(f"whole {longest:.2f} {size * 16 / 1e6 / (last - began):.0f}", flush=True)
"""


def copy(world, name, megabytes=MEGABYTES):
    return world.stage.start(name, [*world.client.enter, sys.executable, "-c", COPY, EDGE, PORT,
                                    megabytes])


def verdict_of(program):
    found = re.search(r"^whole (\S+) (\S+)$", program.output() if program.wait(120) == 0 else "",
                      re.MULTILINE)
    harness.expect(found, program.output())
    return float(found[1]), int(found[2])


def set_hole(world, packet_bytes):
    """The router drops what is larger. Packets come singly, as on a line."""
    for space, device in ((world.home, world.home_end), (world.edge_space, world.edge_end)):
        space.run("ip", "link", "set", device, "gso_max_segs", "1")
    world.router.run("nft", "-f", "-", input=f"""
        table ip hole {{
          chain forward {{
            type filter hook forward priority 0;
            meta l4proto udp meta length > {packet_bytes} drop
          }}
        }}""")


def restart(world):
    world.sidecar.program.kill()
    world.sidecar.start()
    world.sidecar.wait_until_published(f":{PORT}")


@on_world
def check_13_a_hole_from_the_start(world):
    for packet_bytes in (1440, 1280):
        set_hole(world, packet_bytes)
        restart(world)
        world.sidecar.program.wait_for_line("path carries packets of another size", seconds=10)
        pause, rate = verdict_of(copy(world, f"copy-{packet_bytes}"))
        world.router.run("nft", "delete", "table", "ip", "hole")
        print(f"fault 13: packets of more than {packet_bytes} bytes are dropped: {MEGABYTES} MB there "
              f"and back whole, {rate} Mbit/s, longest pause {pause:.2f} s")
        harness.expect(pause <= 3, pause)


@on_world
def check_14_a_hole_in_the_middle(world):
    copying = copy(world, "copy")
    copying.wait_for_line("^at 8", seconds=30)
    set_hole(world, 1300)
    pause, rate = verdict_of(copying)
    print(f"fault 14: packets of more than 1,300 bytes are dropped from the middle of a stream on: "
          f"{MEGABYTES} MB there and back whole, longest pause {pause:.2f} s")
    harness.expect(pause <= 10, pause)


@on_world
def check_15_the_uplink_carries_1280(world):
    world.home.run("ip", "link", "set", world.home_end, "mtu", "1280")
    restart(world)
    world.sidecar.program.wait_for_line("path carries packets of another size", seconds=10)
    pause, rate = verdict_of(copy(world, "copy"))
    print(f"fault 15: the uplink's MTU is 1,280: {MEGABYTES} MB there and back whole, {rate} Mbit/s, "
          f"longest pause {pause:.2f} s")
    harness.expect(pause <= 3, pause)


if __name__ == "__main__":
    os.umask(0o077)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    harness.main(globals())
