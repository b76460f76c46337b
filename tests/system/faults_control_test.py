"""Faults of the control plane, names and hostile peers (docs/reliability.md 61, 62, 65, 66, 68, 69
and 72). A raw sidecar speaks to the edge through our tunnel with bytes of the test's own."""

import http.client
import json
import os
import pathlib
import socket
import sys
import time

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "peers"))

import harness  # noqa: E402
import hello_bytes  # noqa: E402
from faults_streams_test import Listener, ending  # noqa: E402
from product import CONTROL_PORT, EDGE_TUNNEL_ADDRESS, Edge, Sidecar  # noqa: E402
from tunnel_peer import TunnelPeer, peer  # noqa: E402
from wireguard_keys import Keys  # noqa: E402

NAME = "a.demo.test"
GONE_SECONDS = 10
REVOKED_SECONDS = 5


def named_backend(word):
    """Answers anything with its word; the number of streams that it saw is `seen[0]`."""
    seen = [0]

    def answer(connection):
        if connection.recv(10_000):
            seen[0] += 1
            connection.sendall(word)

    return Listener(answer), seen


def ask(port, name=None):
    """Who answers on a port (for a server name): the backend's word, or what came instead."""
    with socket.create_connection(("127.0.0.1", port), 10) as client:
        try:
            client.sendall(hello_bytes.record(name.encode()) if name else b"who is there?")
            return client.recv(100)
        except ConnectionResetError:
            return b"reset"


def service(publish, listener):
    return {"it": {"publish": publish, "backend": f"127.0.0.1:{listener.port}", "health": "none"}}


class RawSidecar:
    """A peer of the edge that speaks control by hand. Its key and what it may publish go into
    edge.yaml: RawSidecar.enrolled(). `reach` are more (address, port) inside the tunnel."""

    def __init__(self, stage, edge, keys, address, name="raw", reach=()):
        targets = [(EDGE_TUNNEL_ADDRESS, CONTROL_PORT), *reach]
        self.local = {target: harness.free_port() for target in targets}
        self.tunnel = TunnelPeer(
            stage, keys.private, address,
            [peer(edge.public_key(), f"{EDGE_TUNNEL_ADDRESS}/24",
                  f"127.0.0.1:{edge.tunnel_port}", keepalive=5)],
            out={port: f"{to[0]}:{to[1]}" for to, port in self.local.items()}, name=name)

    def dial(self, target=(EDGE_TUNNEL_ADDRESS, CONTROL_PORT), seconds=10):
        return socket.create_connection(("127.0.0.1", self.local[target]), seconds)

    def request(self, method, target, message, seconds=10):
        """One control message: (HTTP status, the answer)."""
        connection = http.client.HTTPConnection(
            "127.0.0.1", self.local[(EDGE_TUNNEL_ADDRESS, CONTROL_PORT)], timeout=seconds)
        try:
            body = message if isinstance(message, (str, bytes)) else json.dumps(message)
            connection.request(method, target, body, {"Content-Type": "application/json",
                                                      "Host": EDGE_TUNNEL_ADDRESS})
            response = connection.getresponse()
            text = response.read()
            return response.status, json.loads(text) if text else None
        finally:
            connection.close()

    def session(self):
        status, answer = self.request("POST", "/v1/session", {"protocol": 1, "version": "test",
                                                              "instance": "raw"})
        harness.expect(status == 200, (status, answer))
        return answer["session"]

    def state(self, session, sequence, *endpoints):
        return self.request("PUT", "/v1/state", {
            "session": session, "sequence": sequence,
            "endpoints": [{"endpoint": endpoint, "service": "raw", "port": 9000}
                          for endpoint in endpoints]})


def enrolled(keys, address, *allow):
    return {"public_key": keys.public, "address": address, "allow": list(allow)}


def granted_by(answer):
    return [endpoint["endpoint"] for endpoint in answer["endpoints"]
            if endpoint["state"] == "granted" or endpoint.get("reason") == "listener_opening"]


def check_61_a_name_of_another_sidecar_is_refused(stage):
    port = harness.free_port()
    ours, _ = named_backend(b"owner")
    theirs, stolen = named_backend(b"thief")
    edge = Edge(stage, [port])
    owner = Sidecar(stage, [edge.invite("owner", f"{NAME}:{port}")],
                    service(f"{NAME}:{port}", ours), name="owner")
    owner.wait_until_published(f"{NAME}:{port}")
    thief = Sidecar(stage, [edge.invite("thief", f"b.demo.test:{port}")],
                    service([f"{NAME}:{port}", f"b.demo.test:{port}"], theirs), name="thief")
    thief.wait_until_published(f"b.demo.test:{port}")
    for _ in range(100):
        harness.expect(ask(port, NAME) == b"owner", "the route moved")
    verdict = thief.endpoints()[f"{NAME}:{port}"]
    harness.expect(verdict["state"] == "refused" and verdict["reason"], verdict)
    harness.expect(stolen[0] == 0, "the other sidecar's backend was reached")
    print(f"fault 61: 100 of 100 streams to the owner; the other is told: {verdict['reason']}")


def check_61_sidecars_with_the_same_right_share(stage):
    port = harness.free_port()
    left, left_seen = named_backend(b"left")
    right, right_seen = named_backend(b"right")
    edge = Edge(stage, [port])
    sidecars = [Sidecar(stage, [edge.invite(name, f"{NAME}:{port}")],
                        service(f"{NAME}:{port}", listener), name=name)
                for name, listener in (("left", left), ("right", right))]
    for sidecar in sidecars:
        sidecar.wait_until_published(f"{NAME}:{port}")
    for _ in range(100):
        harness.expect(ask(port, NAME) in (b"left", b"right"), "one of the two")
    print(f"fault 61: two sidecars with the same right served {left_seen[0]} and {right_seen[0]}")
    harness.expect(min(left_seen[0], right_seen[0]) > 0, "they did not share")
    sidecars[0].program.kill()
    began = time.monotonic()
    harness.eventually(lambda: all(ask(port, NAME) == b"right" for _ in range(10)), GONE_SECONDS,
                       "the other one serves alone")
    print(f"fault 61: one killed: the other serves all after {time.monotonic() - began:.1f} s")


def check_62_the_name_of_an_offline_sidecar_is_not_for_the_taking(stage):
    port = harness.free_port()
    ours, _ = named_backend(b"owner")
    theirs, stolen = named_backend(b"thief")
    edge = Edge(stage, [port])
    owner = Sidecar(stage, [edge.invite("owner", f"{NAME}:{port}")],
                    service(f"{NAME}:{port}", ours), name="owner")
    owner.wait_until_published(f"{NAME}:{port}")
    thief = Sidecar(stage, [edge.invite("thief", f"*.demo.test:{port}")],
                    service([f"*.demo.test:{port}", f"{NAME}:{port}"], theirs), name="thief")
    thief.wait_until_published(f"*.demo.test:{port}")
    harness.expect(ask(port, "other.demo.test") == b"thief", "the wildcard is the other one's")
    stolen[0] = 0
    owner.program.kill()
    began = time.monotonic()
    while time.monotonic() - began < GONE_SECONDS + 2:
        harness.expect(ask(port, NAME) != b"thief", "the name of the dead sidecar moved")
        time.sleep(0.05)
    harness.expect(stolen[0] == 0, f"{stolen[0]} streams reached the other sidecar")
    print("fault 62: owner dead, claims by name and by wildcard: 0 bytes to the claimant")


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
    _, answer = harness.eventually(lambda: answered(raw, second), 20, "the edge is back")
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
    edge = Edge(stage, [port], sidecars={"raw": enrolled(keys, "10.86.0.9", ":1")})
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
    edge = Edge(stage, [port], sidecars={"raw": enrolled(keys, "10.86.0.9", ":1")})
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
    streams = {target: raw.dial(target, 3) for target in reach}
    for stream in streams.values():
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
    edge = Edge(stage, [port], sidecars={"raw": enrolled(keys, "10.86.0.9", ":1")})
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
