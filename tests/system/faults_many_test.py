"""Sidecars that come back together, a peer that floods the control port, an edge with another key
(docs/reliability.md 41, 67, 71)."""

import json
import multiprocessing
import os
import re
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
FLOOD_RATE = 10_000
UPLOAD_BYTES = 1 << 16
PACE = 4 << 20
GOODPUT_MIN = 0.95
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


def message(session, sequence, endpoint):
    """A control message that withdraws or publishes."""
    wanted = [] if sequence % 2 else [{"endpoint": endpoint, "service": "raw", "port": 9000}]
    body = json.dumps({"session": session, "sequence": sequence, "endpoints": wanted})
    return (f"PUT /v1/state HTTP/1.1\r\nHost: {EDGE_TUNNEL_ADDRESS}\r\nContent-Type: "
            f"application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}").encode()


def flood(port, session, endpoint, ended, counts):
    """Sends FLOOD_RATE messages a second and does not wait for answers; in a process of its own.
    What has been sent and what came back goes into `counts`."""
    sequence, unsent, tail = 0, b"", b""
    began = time.monotonic()
    with socket.create_connection(("127.0.0.1", port), 10) as connection:
        connection.setblocking(False)
        while not ended.is_set():
            due = int((time.monotonic() - began) * FLOOD_RATE)
            # What does not fit is not made up for.
            while sequence < due and len(unsent) < MEGABYTE:
                sequence += 1
                unsent += message(session, sequence, endpoint)
            try:
                unsent = unsent[connection.send(unsent):]
            except BlockingIOError:
                pass
            try:
                while part := connection.recv(1 << 20):
                    tail += part
                    for status in re.findall(rb"HTTP/1.1 (\d+) ", tail):
                        counts[status] = counts.get(status, 0) + 1
                    tail = tail[tail.rfind(b"HTTP/1.1 ") + len("HTTP/1.1 200 "):]
            except BlockingIOError:
                pass
            counts["sent"] = sequence
            time.sleep(0.005)


class Sink:
    """A backend that answers each piece with a byte."""

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
        got = answered = 0
        with stream:
            while part := stream.recv(UPLOAD_BYTES):
                got += len(part)
                if got // UPLOAD_BYTES > answered:
                    stream.sendall(b"." * (got // UPLOAD_BYTES - answered))
                    answered = got // UPLOAD_BYTES


def questions(port, seconds):
    """The goodput of a stream that asks for PACE bytes a second: of the pieces that are due in that
    time, how many are taken and answered."""
    piece = bytes(UPLOAD_BYTES)
    with socket.create_connection(("127.0.0.1", port), 10) as stream:
        began = time.monotonic()
        asked = answered = 0
        while (passed := time.monotonic() - began) < seconds:
            if asked * UPLOAD_BYTES > passed * PACE:
                time.sleep(0.002)
                continue
            asked += 1
            stream.sendall(piece)
            answered += len(stream.recv(1))
        return answered * UPLOAD_BYTES / seconds


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
    with multiprocessing.Manager() as manager:
        ended, counts = manager.Event(), manager.dict()
        local = raw.local[(EDGE_TUNNEL_ADDRESS, CONTROL_PORT)]
        peer = multiprocessing.Process(
            target=flood, args=(local, raw.session(), f":{spare}", ended, counts), daemon=True)
        peer.start()
        beside = questions(port, FLOOD_SECONDS)
        ended.set()
        peer.join(10)
        answers = {key if key == "sent" else int(key): value for key, value in counts.items()}
    used, lines = edge.cpu_seconds() - used, len(edge.log_lines()) - lines
    harness.expect(sidecar.status()["edges"][0]["problem"] == "", "the other sidecar's control")
    harness.expect(answers.get(429, 0) > answers.get(200, 0), f"a limit: {answers}")
    print(f"fault 67: {answers['sent'] / FLOOD_SECONDS:.0f} messages a second that publish and "
          f"withdraw from one peer, answered {answers}, {lines} log lines, "
          f"{100 * used / FLOOD_SECONDS:.0f} % of a processor in the edge; another sidecar's stream: "
          f"{beside / MEGABYTE:.1f} MB/s beside it, {alone / MEGABYTE:.1f} MB/s without "
          f"({100 * beside / alone:.0f} %)")
    harness.expect(beside > GOODPUT_MIN * alone, "goodput")


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
