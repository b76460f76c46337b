"""Fault 59 (docs/reliability.md): an edge, which is trusted to say who the client is, sends PROXY
headers that are none. The stream is closed, no backend is touched, and the next stream works."""

import contextlib
import json
import os
import pathlib
import selectors
import struct
import time

import harness
import hello_bytes
import proxy_header
from faults_streams_test import Listener, ending
from raw_edge import FIRST_SERVICE_PORT, NAME_ROUTER_PORT, RawEdge

NAME = "a.home.test"
ANSWER = b"the backend was here"
CLIENT, EDGE = ("198.51.100.7", 4711), ("192.0.2.1", 443)
# streams/introduction_io.h: 5 s for the header; and what a busy machine adds.
HEADER_SECONDS, LATE_SECONDS = 5.0, 7.0
SLOW_STREAMS = 200
GROWTH_BYTES_MAX = 8 << 20
VECTORS = pathlib.Path(__file__).resolve().parents[1] / "vectors/proxy_protocol.json"


def v2(command=0x21, family=0x11, length=12, content=bytes(12)):
    return proxy_header.SIGNATURE + struct.pack(">BBH", command, family, length) + content


def wrong_headers():
    """{what: bytes} that no receiver may take for a PROXY header."""
    wrong = {
        "nothing": b"",
        "TLS in its place": hello_bytes.record(NAME.encode()),
        "HTTP in its place": b"GET / HTTP/1.0\r\n\r\n",
        "v1 of 107 bytes without an end": b"PROXY TCP4 " + b"1" * 96,
        "v1 without an end, 100 KB": b"PROXY TCP4 " + b"1" * 100_000,
        "v1 with a bad port": b"PROXY TCP4 192.0.2.1 192.0.2.2 65536 1\r\n",
        "v1 with a leading zero": b"PROXY TCP4 192.0.2.1 192.0.2.2 01 1\r\n",
        "v1 with a bad address": b"PROXY TCP4 192.0.2.256 192.0.2.2 1 1\r\n",
        "v1 with NUL": b"PROXY TCP4 192.0.2.1\0 192.0.2.2 1 1\r\n",
        "v1 in lower case": b"proxy tcp4 192.0.2.1 192.0.2.2 1 1\r\n",
        "v1 with LF only": b"PROXY TCP4 192.0.2.1 192.0.2.2 1 1\n",
        "v2 of 65535 bytes": v2(length=65_535, content=bytes(65_535)),
        "v2 of 65535 bytes, of which few come": v2(length=65_535),
        "v2 shorter than its addresses": v2(length=4, content=bytes(4)),
        "v2 with another version": v2(command=0x31),
        "v2 with another command": v2(command=0x2F),
        "v2 with a TLV behind its end": v2(length=15, content=bytes(12) + b"\1\xff\xff"),
        "half of a signature": proxy_header.SIGNATURE[:6],
        "a signature cut by TLS": proxy_header.SIGNATURE[:6] + hello_bytes.record(b"x"),
    }
    for vector in json.loads(VECTORS.read_text()):
        # NGINX writes TCP6 with an IPv4 address; on this leg that is taken (proxy_header_parser.h).
        if vector["expect"]["result"] != "accept" and "plain IPv4" not in vector["name"]:
            wrong[vector["name"]] = bytes.fromhex(vector["hex"])
    return wrong


class Home:
    def __init__(self, stage):
        self.touched = 0

        def answer(connection):
            self.touched += 1
            if connection.recv(100_000):
                connection.sendall(ANSWER)

        self.edge = RawEdge(stage, {"it": {
            "publish": NAME, "backend": f"127.0.0.1:{Listener(answer).port}", "health": "none"}})
        self.sidecar = self.edge.sidecar

    def ask(self, port):
        """What a stream with a good header gets."""
        with self.edge.dial(port) as stream:
            stream.sendall(proxy_header.v2(CLIENT, EDGE) + hello_bytes.record(NAME.encode()))
            return stream.recv(100)


def endings(streams):
    """Waits for the ends of all {what: socket}: {what: (how, seconds)}."""
    began = time.monotonic()
    found = {}
    with selectors.DefaultSelector() as selector:
        for what, stream in streams.items():
            selector.register(stream, selectors.EVENT_READ, what)
        while selector.get_map() and time.monotonic() < began + 2 * LATE_SECONDS:
            for key, _ in selector.select(1):
                found[key.data] = (ending(key.fileobj), time.monotonic() - began)
                selector.unregister(key.fileobj)
                key.fileobj.close()
    return found


def check_59_malformed_headers_are_closed(stage):
    home = Home(stage)
    for port in (NAME_ROUTER_PORT, FIRST_SERVICE_PORT):
        harness.expect(home.ask(port) == ANSWER, f"a good header on port {port}")
    touched, before = home.touched, home.sidecar.resident_bytes()
    wrong = wrong_headers()
    times = []
    for port in (NAME_ROUTER_PORT, FIRST_SERVICE_PORT):
        streams = {}
        for what, sent in wrong.items():
            streams[what] = home.edge.dial(port)
            with contextlib.suppress(ConnectionError):  # closed before all was sent
                streams[what].sendall(sent)
        found = endings(streams)
        for what in wrong:
            how, seconds = found.get(what, ("nothing", 0))
            harness.expect(how in ("reset", "clean end"), f"{what} on port {port}: {how}")
            harness.expect(seconds < LATE_SECONDS, f"{what} on port {port}: {seconds:.1f} s")
            times.append(seconds)
        harness.expect(home.ask(port) == ANSWER, f"a good header on port {port} afterwards")
    waited = [seconds for seconds in times if seconds > HEADER_SECONDS - 1]
    grown = home.sidecar.resident_bytes() - before
    print(f"fault 59: {len(wrong)} malformed headers on each of 2 ports: "
          f"{len(times) - len(waited)} closed at once, {len(waited)} that could still have become "
          f"good after {max(waited):.2f} s; backends touched: {home.touched - touched - 2}; the "
          f"sidecar grew by {grown >> 10} KiB")
    harness.expect(len(waited) < len(times) / 2, "what cannot become good is not waited for")
    harness.expect(home.touched == touched + 2, "a malformed header reached the backend")
    harness.expect(grown < GROWTH_BYTES_MAX, f"the sidecar grew by {grown} bytes")


def check_59_slow_headers_are_closed(stage):
    home = Home(stage)
    harness.expect(home.ask(FIRST_SERVICE_PORT) == ANSWER, "a good header")
    touched = home.touched
    header = proxy_header.v2(CLIENT, EDGE)
    streams = []
    for _ in range(SLOW_STREAMS):
        streams.append((home.edge.dial(FIRST_SERVICE_PORT), time.monotonic()))
    for position in range(4):  # a byte a second
        for stream, _ in streams:
            stream.sendall(header[position:position + 1])
        harness.expect(home.ask(FIRST_SERVICE_PORT) == ANSWER, "a good header meanwhile")
        time.sleep(1)
    lives = []
    for stream, began in streams:
        harness.expect(ending(stream) in ("reset", "clean end"), "a slow header is waited for")
        lives.append(time.monotonic() - began)
        stream.close()
    print(f"fault 59: {SLOW_STREAMS} headers of a byte a second: closed after {min(lives):.2f} to "
          f"{max(lives):.2f} s; 4 good ones meanwhile served")
    harness.expect(max(lives) < LATE_SECONDS, f"one lived {max(lives):.1f} s")
    harness.expect(home.touched == touched + 4, "a slow header reached the backend")


if __name__ == "__main__":
    os.umask(0o077)
    harness.main(globals())
