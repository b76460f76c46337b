"""Fault 22 (docs/reliability.md): a stranger floods the edge's tunnel port with junk and with
initiations that a sidecar has sent before. Streams keep their speed, and junk gets no answer. In
network namespaces, so it needs root.
"""

import json
import os
import re
import signal
import sys

import harness
from path_world import CLIENTS_GATEWAY, EDGE, PORT, Namespaces, World

SECONDS = int(os.environ.get("SIDESTREAM_SECONDS", "6"))
FLOOD_RATE = 50_000
STREAM_MEGABITS = 200

# Keeps the first initiation that arrives at the port (a WireGuard message of type 1), as hex.
LISTENER = """
import socket, struct, sys
one = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0800))
print("ready", flush=True)
while True:
    packet = one.recv(65536)
    header = (packet[0] & 15) * 4
    if packet[9] == 17 and struct.unpack_from("!H", packet, header + 2)[0] == int(sys.argv[1]):
        text = packet[header + 8:]
        if text[:4] == b"\\1\\0\\0\\0" and len(text) == 148:
            print("initiation", text.hex(), flush=True)
            break
"""

# Sends so many datagrams a second for so many seconds, every eighth one the initiation, and counts the
# answers: to junk, which leaves from one socket, and to initiations, from another.
FLOOD = """
import json, os, socket, sys, time
address, rate, seconds = (sys.argv[1], int(sys.argv[2])), int(sys.argv[3]), float(sys.argv[4])
initiation = bytes.fromhex(sys.argv[5])
stranger, replayer = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
for one in stranger, replayer:
    one.connect(address)
    one.setblocking(False)
junk = [bytes([kind, 0, 0, 0]) + os.urandom(size - 4)
        for kind, size in ((1, 148), (2, 92), (3, 64), (4, 32), (4, 1452), (9, 100), (1, 148))]
print("ready", flush=True)
sent = replayed = 0
began = time.monotonic()
while (passed := time.monotonic() - began) < seconds:
    for _ in range(max(0, int(passed * rate) - sent)):
        sent += 1
        try:
            if sent % 8:
                stranger.send(junk[sent % len(junk)])
            else:
                replayer.send(initiation)
                replayed += 1
        except OSError:
            pass
    time.sleep(0.0005)
def answers(one):
    count = 0
    while True:
        try:
            one.recv(4096)
            count += 1
        except OSError:
            return count
print("sent", json.dumps({"rate": round(sent / passed), "replayed": replayed,
                          "to_junk": answers(stranger), "to_initiations": answers(replayer)}),
      flush=True)
"""

# Takes what the backend sends and says how many Mbit/s came.
STREAM = """
import socket, sys, time
one = socket.create_connection((sys.argv[1], int(sys.argv[2])), 10)
one.settimeout(10)
one.recv(1)
began, got = time.monotonic(), 0
while time.monotonic() - began < float(sys.argv[3]):
    got += len(one.recv(1 << 18))
print("megabits", got * 8e-6 / (time.monotonic() - began), flush=True)
"""

# Sends so many Mbit/s to whoever connects.
BACKEND = """
import socket, sys, threading, time
listener = socket.create_server((sys.argv[2], int(sys.argv[3])))
def serve(one):
    piece, sent, began = bytes(12500), 0, time.monotonic()
    try:
        while True:
            one.sendall(piece)
            sent += len(piece) * 8e-6
            time.sleep(max(0, sent / float(sys.argv[1]) - (time.monotonic() - began)))
    except OSError:
        one.close()
print("ready", flush=True)
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
"""


def found_in(program, word):
    match = re.search(rf"^{word} (.*)$", program.output(), re.MULTILINE)
    harness.expect(match, program.output())
    return match[1]


def megabits(world, name):
    stream = world.stage.start(name, [*world.client.enter, sys.executable, "-c", STREAM, EDGE, PORT,
                                      SECONDS])
    stream.wait(SECONDS + 30)
    return float(found_in(stream, "megabits"))


def check_22_a_flood_at_the_tunnels_port(stage):
    with Namespaces() as spaces:
        flooded(World(stage, spaces, backend=[sys.executable, "-c", BACKEND, STREAM_MEGABITS]))


def flooded(world):
    port = world.edge.tunnel_port
    listener = world.stage.start("listener", [*world.edge_space.enter, sys.executable, "-c", LISTENER,
                                              port])
    listener.wait_for_line("^ready")
    world.sidecar.program.kill()
    world.sidecar.start()
    listener.wait_for_line("^initiation", seconds=20)
    world.sidecar.wait_until_published(f":{PORT}")
    before = megabits(world, "before")
    used = world.edge.cpu_seconds()
    flood = world.stage.start("flood", [
        *world.client.enter, sys.executable, "-c", FLOOD, CLIENTS_GATEWAY, port, FLOOD_RATE,
        SECONDS + 2, found_in(listener, "initiation")])
    flood.wait_for_line("^ready")
    during = megabits(world, "during")
    used = world.edge.cpu_seconds() - used
    flood.wait(30)
    sent = json.loads(found_in(flood, "sent"))
    print(f"fault 22: {sent['rate']} datagrams a second, {sent['replayed']} of them replayed "
          f"initiations: {sent['to_junk']} answers to junk, {sent['to_initiations']} to initiations; a "
          f"stream of {before:.0f} Mbit/s had {during:.0f}; the edge used {used:.1f} s of processor")
    harness.expect(sent["to_junk"] == 0, sent)
    harness.expect(during >= 0.9 * before, (before, during))


if __name__ == "__main__":
    os.umask(0o077)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    harness.main(globals())
