"""Faults of the control plane and of hostile peers (docs/reliability.md 65, 66, 68, 69 and 72). A raw
sidecar speaks to the edge through our tunnel with bytes of the test's own."""

import contextlib
import http.client
import os
import socket
import time

import harness
from faults_streams_test import Listener, ending
from named_backends import ask, named_backend, service
from product import CONTROL_PORT, EDGE_TUNNEL_ADDRESS, Edge, Sidecar
from raw_sidecar import RawSidecar, enrolled, granted_by
from wireguard_keys import Keys

REVOKED_SECONDS = 5


def check_65_old_control_messages_change_nothing(stage):
    port = harness.free_port()
    keys, endpoint = Keys(), f":{port}"
    edge = Edge(stage, [port], sidecars={"raw": enrolled(keys, "10.86.0.9", endpoint)})
    raw = RawSidecar(stage, edge, keys, "10.86.0.9")
    first = raw.session()
    status, answer = raw.state(first, 1, endpoint)
    harness.expect(status == 200 and granted_by(answer) == [endpoint], (status, answer))
    status, _ = raw.state(first, 5)
    harness.expect(status == 200, "withdrawn")
    refusals = [raw.state(first, sequence, endpoint) for sequence in (1, 5)]
    harness.expect(all(answer["error"] == "stale_sequence" for _, answer in refusals), refusals)
    second = raw.session()
    harness.expect(raw.state(second, 1, endpoint)[0] == 200, "published by the second session")
    refusals = [raw.state(first, 6), raw.state(first, 6, endpoint), raw.state(second, 1)]
    harness.expect([answer["error"] for _, answer in refusals]
                   == ["session_superseded", "session_superseded", "stale_sequence"], refusals)
    harness.expect(socket.create_connection(("127.0.0.1", port), 5), "the route stands")
    edge.program.stop()
    edge.start().wait_until_up()
    _, answer = harness.eventually(lambda: answered(raw, second), 40, "the edge is back")
    harness.expect(answer["error"] == "session_unknown", answer)
    print("fault 65: replayed, late and pre-restart messages: 0 state changes")


def answered(raw, session):
    try:
        return raw.state(session, 9)
    except (OSError, http.client.HTTPException):
        return None


def check_66_messages_that_are_wrong_are_bounded(stage):
    port = harness.free_port()
    keys = Keys()
    good, _ = named_backend(b"good")
    spare = harness.free_port()
    edge = Edge(stage, [port, spare],
                sidecars={"raw": enrolled(keys, "10.86.0.9", f":{spare}")})
    sidecar = Sidecar(stage, [edge.invite("home", f":{port}")], service(f":{port}", good))
    sidecar.wait_until_published(f":{port}")
    raw = RawSidecar(stage, edge, keys, "10.86.0.9")
    raw.session()
    before = edge.resident_bytes()
    session = raw.session()
    wrong = {
        "unknown protocol": ("POST", "/v1/session", {"protocol": 99, "version": "x"}),
        "not JSON": ("PUT", "/v1/state", b"\0\xff{"),
        "another kind": ("PUT", "/v1/state", {"session": session, "sequence": "one",
                                              "endpoints": {}}),
        "deep": ("PUT", "/v1/state", "[" * 100_000),
        "4 MB": ("PUT", "/v1/state", b" " * 4_000_000),
        "unknown target": ("POST", "/v2/anything", {}),
        "unknown method": ("DELETE", "/v1/state", {}),
    }
    for what, (method, target, message) in wrong.items():
        try:
            status, answer = raw.request(method, target, message)
            harness.expect(400 <= status < 500, f"{what}: {status} {answer}")
        except (OSError, http.client.HTTPException):
            pass  # closed before all was sent
    truncated = []
    for number in range(50):
        stream = raw.dial()
        stream.sendall(b"PUT /v1/state HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{"
                       if number % 2 else b"PUT /v1/st")
        truncated.append(stream)
    began = time.monotonic()
    for stream in truncated:
        stream.settimeout(60)
        harness.expect(ending(stream) != "nothing", "a slow message is still waited for")
    seconds = time.monotonic() - began
    grown = edge.resident_bytes() - before
    harness.expect(ask(port) == b"good", "another sidecar's service works")
    harness.expect(sidecar.endpoints()[f":{port}"]["state"] == "published", "and is still granted")
    harness.expect(grown < 8 << 20, f"the edge grew by {grown} bytes")
    print(f"fault 66: {len(wrong)} wrong messages refused, 50 slow ones closed after "
          f"{seconds:.1f} s, edge grew by {grown >> 10} KiB")


def check_68_a_peer_reaches_only_the_control_port(stage):
    keys, port = Keys(), harness.free_port()
    good, seen = named_backend(b"good")
    spare = harness.free_port()
    edge = Edge(stage, [port, spare],
                sidecars={"raw": enrolled(keys, "10.86.0.9", f":{spare}")})
    sidecar = Sidecar(stage, [edge.invite("home", f":{port}")], service(f":{port}", good))
    sidecar.wait_until_published(f":{port}")
    other = sidecar_address(edge, "home")
    ports = sorted({*range(1, 1025, 16), 22, 80, 443, 5150, 5151, 5152, 8080, port,
                    edge.tunnel_port})
    reach = [(address, number) for address in (EDGE_TUNNEL_ADDRESS, other) for number in ports]
    reach.remove((EDGE_TUNNEL_ADDRESS, CONTROL_PORT))
    raw = RawSidecar(stage, edge, keys, "10.86.0.9", reach=reach)
    raw.session()
    seen[0] = 0
    streams = {}
    for target in reach:
        with contextlib.suppress(ConnectionError):  # refused already
            streams[target] = raw.dial(target, 3)
    for stream in streams.values():
        with contextlib.suppress(ConnectionError):  # refused already
            stream.sendall(b"GET / HTTP/1.0\r\n\r\n")
    time.sleep(2)
    answers = []
    for target, stream in streams.items():
        stream.settimeout(0.01)
        if ending(stream) == "bytes":
            answers.append(target)
    harness.expect(not answers and seen[0] == 0, f"a peer reached {answers}")
    raw.session()
    print(f"fault 68: of {len(reach) + 1} ports at the edge and at another sidecar one answers: "
          f"{CONTROL_PORT}")


def sidecar_address(edge, name):
    """The tunnel address of an enrolled sidecar, from the edge's status."""
    for sidecar in edge.status()["sidecars"]:
        if sidecar["name"] == name:
            return sidecar["tunnel_address"]
    raise harness.Failure(f"the edge's status has no sidecar {name}")


def check_69_another_peers_source_address_is_dropped(stage):
    keys, port = Keys(), harness.free_port()
    good, _ = named_backend(b"good")
    spare = harness.free_port()
    edge = Edge(stage, [port, spare],
                sidecars={"raw": enrolled(keys, "10.86.0.9", f":{spare}")})
    sidecar = Sidecar(stage, [edge.invite("home", f":{port}")], service(f":{port}", good))
    sidecar.wait_until_published(f":{port}")
    honest = RawSidecar(stage, edge, keys, "10.86.0.9")
    honest.session()
    honest.tunnel.program.stop()
    liar = RawSidecar(stage, edge, keys, sidecar_address(edge, "home"), name="liar")
    with liar.dial() as stream:
        stream.settimeout(5)
        stream.sendall(b"POST /v1/session HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}")
        answer = ending(stream)
    harness.expect(answer != "bytes", "the edge answered a packet with another peer's address")
    harness.expect(ask(port) == b"good", "the other sidecar is served")
    print(f"fault 69: packets with another peer's source address: {answer} came back")


def check_72_a_revoked_sidecar_is_cut_and_its_name_is_free(stage):
    port = harness.free_port()
    mute = Listener(lambda connection: connection.recv(1))
    new, _ = named_backend(b"new owner")
    edge = Edge(stage, [port])
    ticket = edge.invite("old", f":{port}")
    old = Sidecar(stage, [ticket], service(f":{port}", mute), name="old")
    old.wait_until_published(f":{port}")
    with socket.create_connection(("127.0.0.1", port), 5) as stream:
        time.sleep(0.5)
        began = time.monotonic()
        edge.revoke("old")
        stream.settimeout(REVOKED_SECONDS + 5)
        how = ending(stream)
        seconds = time.monotonic() - began
    harness.expect(how in ("reset", "clean end") and seconds < REVOKED_SECONDS,
                   f"{how} after {seconds:.1f} s")
    heir = Sidecar(stage, [edge.invite("new", f":{port}")], service(f":{port}", new), name="new")
    heir.wait_until_published(f":{port}")
    harness.expect(ask(port) == b"new owner", "the endpoint is free for another")
    harness.eventually(lambda: "revoked" in old.program.output().lower(), 20,
                       f"the revoked sidecar says so\n{old.program.tail()}")
    print(f"fault 72: revoked: streams ended ({how}) after {seconds:.2f} s, the name is free")


if __name__ == "__main__":
    os.umask(0o077)
    harness.main(globals())
