"""Sidecars that come back together, a peer that floods the control port, an edge with another key
(docs/reliability.md 41, 67, 71)."""

import http.client
import json
import os
import socket
import threading
import time

import harness
from named_backends import ask, named_backend, service
from product import CONTROL_PORT, EDGE_TUNNEL_ADDRESS, Edge, Sidecar
from raw_sidecar import RawSidecar, enrolled
from wireguard_keys import Keys

SIDECARS = 50
BACK_SECONDS = 10
FLOOD_SECONDS = 6
UPLOAD_BYTES = 1 << 18
MEGABYTE = 1 << 20
NO_TRUST_SECONDS = 5


def long_41_50_sidecars_come_back_together(stage):
    ports = [harness.free_port() for _ in range(SIDECARS)]
    good, _ = named_backend(b"good")
    edge = Edge(stage, ports)
    sidecars = []
    for number, port in enumerate(ports):
        sidecars.append(Sidecar(stage, [edge.invite(f"home{number}", f":{port}")], {
            "it": {"publish": f":{port}", "backend": f"127.0.0.1:{good.port}", "health": "none"}},
            name=f"sidecar-{number}"))

    def present():
        status = edge.status()
        return sum(one["present"] for one in status["sidecars"]) if status else 0
    harness.eventually(lambda: present() == SIDECARS, 60, f"{SIDECARS} sidecars are there")
    for forget in (False, True):
        edge.program.kill()
        if forget:
            (edge.folder / "state" / "endpoints.json").unlink(missing_ok=True)
        time.sleep(2)
        began = time.monotonic()
        edge.start()
        harness.eventually(lambda: present() == SIDECARS, 60, "all are back")
        seconds = time.monotonic() - began
        harness.expect(all(ask(port) == b"good" for port in ports), "all are served")
        print(f"fault 41: {SIDECARS} sidecars of an edge that was killed"
              f"{' and has forgotten where they are' if forget else ''}: all back {seconds:.2f} s "
              "after its start")
        harness.expect(seconds <= BACK_SECONDS, seconds)


class Flood:
    """A peer that withdraws and publishes, over one connection after the other, as fast as it goes."""

    def __init__(self, raw, endpoint):
        self.raw = raw
        self.endpoint = endpoint
        self.answers = {}
        self.ended = False
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        local = self.raw.local[(EDGE_TUNNEL_ADDRESS, CONTROL_PORT)]
        session, sequence = self.raw.session(), 0
        connection = None
        while not self.ended:
            try:
                connection = connection or http.client.HTTPConnection("127.0.0.1", local, timeout=5)
                sequence += 1
                wanted = [] if sequence % 2 else [{"endpoint": self.endpoint, "service": "raw",
                                                   "port": 9000}]
                connection.request("PUT", "/v1/state", json.dumps(
                    {"session": session, "sequence": sequence, "endpoints": wanted}),
                    {"Content-Type": "application/json", "Host": EDGE_TUNNEL_ADDRESS})
                response = connection.getresponse()
                response.read()
                self.answers[response.status] = self.answers.get(response.status, 0) + 1
            except (OSError, http.client.HTTPException):
                self.answers["broken"] = self.answers.get("broken", 0) + 1
                connection = None

    def end(self):
        self.ended = True
        self.thread.join(20)
        return self.answers


class Sink:
    """A backend that counts what it gets."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            stream, _ = self.listener.accept()
            threading.Thread(target=self.take, args=(stream,), daemon=True).start()

    @staticmethod
    def take(stream):
        with stream:
            while stream.recv(UPLOAD_BYTES):
                stream.sendall(b".")


def questions(port, seconds):
    """How many pieces are taken and answered in that time, one after the other."""
    piece = bytes(UPLOAD_BYTES)
    with socket.create_connection(("127.0.0.1", port), 10) as stream:
        end = time.monotonic() + seconds
        answered = 0
        while time.monotonic() < end:
            stream.sendall(piece)
            answered += len(stream.recv(UPLOAD_BYTES))
        return answered / seconds


def check_67_a_peer_floods_the_control_port(stage):
    keys, port, spare = Keys(), harness.free_port(), harness.free_port()
    sink = Sink()
    edge = Edge(stage, [port, spare],
                sidecars={"raw": enrolled(keys, "10.86.0.9", f":{spare}")})
    sidecar = Sidecar(stage, [edge.invite("home", f":{port}")], {
        "it": {"publish": f":{port}", "backend": f"127.0.0.1:{sink.port}", "health": "none"}})
    sidecar.wait_until_published(f":{port}")
    raw = RawSidecar(stage, edge, keys, "10.86.0.9")
    alone = questions(port, FLOOD_SECONDS)
    used, lines = edge.cpu_seconds(), len(edge.log_lines())
    flood = Flood(raw, f":{spare}")
    beside = questions(port, FLOOD_SECONDS)
    answers = flood.end()
    used, lines = edge.cpu_seconds() - used, len(edge.log_lines()) - lines
    harness.expect(sidecar.status()["edges"][0]["problem"] == "", "the other sidecar's control")
    harness.expect(answers.get(429, 0) > answers.get(200, 0), f"a limit: {answers}")
    print(f"fault 67: {sum(answers.values()) / FLOOD_SECONDS:.0f} messages a second that publish and "
          f"withdraw from one peer, answered {answers}, {lines} log lines; another sidecar's stream: "
          f"{beside * UPLOAD_BYTES / MEGABYTE:.0f} MB/s beside it, {alone * UPLOAD_BYTES / MEGABYTE:.0f}"
          f" MB/s without ({100 * beside / alone:.0f} %)")


def check_71_an_edge_with_another_key_is_not_trusted(stage):
    port = harness.free_port()
    good, seen = named_backend(b"good")
    edge = Edge(stage, [port])
    old = edge.invite("home", f":{port}")
    sidecar = Sidecar(stage, [old], service(f":{port}", good))
    sidecar.wait_until_published(f":{port}")
    edge.program.stop()
    before = edge.public_key()
    (edge.folder / "state" / "edge.key").unlink()
    edge.start().wait_until_up()
    harness.expect(edge.public_key() != before, "the key is another one")
    seen[0] = 0
    sidecar.program.wait_for_line("nothing answers at UDP", seconds=20)
    time.sleep(NO_TRUST_SECONDS)
    state = sidecar.endpoints()[f":{port}"]
    harness.expect(state["state"] != "published" and seen[0] == 0, state)
    edge.revoke("home")
    heir = Sidecar(stage, [edge.invite("heir", f":{port}")], service(f":{port}", good), name="heir")
    seconds = heir.wait_until_published(f":{port}")
    harness.expect(ask(port) == b"good", "a new ticket serves")
    print(f"fault 71: the edge has another key: the sidecar does not publish ({state['reason']!r}); "
          f"with a new ticket {seconds:.2f} s after its start")


if __name__ == "__main__":
    os.umask(0o077)
    harness.main(globals())
