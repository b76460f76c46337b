"""Faults of names: who may publish which, and who gets the streams (docs/reliability.md 61 to 64)."""

import os
import time

import harness
from named_backends import ask, named_backend, service
from product import Edge, Sidecar
from raw_sidecar import RawSidecar, enrolled
from wireguard_keys import Keys

NAME = "a.demo.test"
GONE_SECONDS = 10


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
    edge.program.wait_for_line(f"publishing refused .*{NAME}:{port} .*sidecar=thief")
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


def verdicts(answer):
    """{endpoint as it was sent: "granted" or why not}"""
    harness.expect("endpoints" in answer, answer)
    return {one["endpoint"]: "granted" if one["state"] == "granted"
            or one.get("reason") == "listener_opening" else one["reason"]
            for one in answer["endpoints"]}


def check_63_a_wildcard_takes_nobodys_name(stage):
    port, other_port = harness.free_port(), harness.free_port()
    keys, owner_keys = Keys(), Keys()
    claimant, seen = named_backend(b"claimant")
    edge = Edge(stage, [port, other_port], sidecars={
        "raw": enrolled(keys, "10.86.0.9", f"*.x.demo.test:{port}", f"b.y.demo.test:{port}"),
        # Never online.
        "owner": enrolled(owner_keys, "10.86.0.10", f"a.x.demo.test:{port}", f"x.demo.test:{port}",
                          f"*.y.demo.test:{port}", f":{port}")})
    raw = RawSidecar(stage, edge, keys, "10.86.0.9", backend=claimant.port)
    policy = {
        f"*.x.demo.test:{port}": "granted",
        f"c.x.demo.test:{port}": "granted",
        f"b.y.demo.test:{port}": "granted",  # more exact than the other one's wildcard
        f"a.x.demo.test:{port}": "held_by_another",
        f"x.demo.test:{port}": "not_allowed",
        f"d.c.x.demo.test:{port}": "not_allowed",
        f"*.c.x.demo.test:{port}": "not_allowed",
        f"*.demo.test:{port}": "not_allowed",
        f"*.y.demo.test:{port}": "not_allowed",
        f"c.y.demo.test:{port}": "not_allowed",
        f"c.x.demo.test:{other_port}": "not_allowed",
        f":{port}": "not_allowed",
    }
    status, answer = raw.state(raw.session(), 1, *policy)
    harness.expect(status == 200 and verdicts(answer) == policy, verdicts(answer))
    for name in ("c.x.demo.test", "other.x.demo.test", "b.y.demo.test"):
        harness.expect(ask(port, name) == b"claimant", f"{name} is the claimant's")
    before = seen[0]
    for name in ("a.x.demo.test", "x.demo.test", "d.c.x.demo.test", "c.y.demo.test", "demo.test"):
        for _ in range(10):
            harness.expect(b"claimant" not in ask(port, name), f"{name} went to the claimant")
    harness.expect(seen[0] == before, "the claimant was reached")
    refused = sum(verdict != "granted" for verdict in policy.values())
    print(f"fault 63: {len(policy)} claims by the policy table, {refused} refused; 50 streams for "
          "names of an owner who is away: 0 to the claimant")


def check_64_a_name_has_one_form(stage):
    port = harness.free_port()
    keys = Keys()
    backend, seen = named_backend(b"owner")
    edge = Edge(stage, [port],
                sidecars={"raw": enrolled(keys, "10.86.0.9", f"{NAME}:{port}")})
    raw = RawSidecar(stage, edge, keys, "10.86.0.9", backend=backend.port)
    session = raw.session()
    wrong = {
        "\u0430.demo.test": "bad_endpoint",  # Cyrillic
        "\u00e4.demo.test": "bad_endpoint",
        "xn--4ca.demo.test": "not_allowed",
        "_a.demo.test": "not_allowed",
        " a.demo.test": "bad_endpoint",
        "a..demo.test": "bad_endpoint",
        "a.demo.test..": "bad_endpoint",
        ".a.demo.test": "bad_endpoint",
        "*a.demo.test": "bad_endpoint",
        "a.*.test": "bad_endpoint",
        "a" * 64 + ".demo.test": "bad_endpoint",
        ".".join(["a" * 62] * 4) + ".test": "bad_endpoint",  # 256 bytes
        "127.0.0.1": "bad_endpoint",
    }
    sent = {f"{name}:{port}": verdict for name, verdict in wrong.items()}
    _, answer = raw.state(session, 1, *sent)
    harness.expect(verdicts(answer) == sent, verdicts(answer))
    for name in ("a.demo.test\0", "a.demo.test\n"):  # no text at all: the whole message is refused
        status, answer = raw.state(session, 1, f"{name}:{port}")
        harness.expect(status == 400 and answer["error"] == "bad_message", answer)
    for sequence, name in enumerate((NAME.upper(), f"{NAME}.", "A.Demo.Test."), 2):
        _, answer = raw.state(session, sequence, f"{name}:{port}")
        harness.expect(list(verdicts(answer).values()) == ["granted"], (name, answer))
        for asked in (NAME, NAME.upper(), f"{NAME}.", "A.dEMO.tESt"):
            harness.expect(ask(port, asked) == b"owner", f"{asked} for {name}")
    _, answer = raw.state(session, 9, f"{NAME}:{port}", f"{NAME.upper()}.:{port}")
    harness.expect(list(verdicts(answer).values()) == ["granted", "duplicate"], answer)
    before = seen[0]
    for asked in (b"\xd0\xb0.demo.test", b"a.demo.test\0", b"a.demo.test..", b"_a.demo.test",
                  b" a.demo.test", b"a.demo.test\0.b.test"):
        harness.expect(ask(port, asked) != b"owner", f"{asked} was taken for the name")
    harness.expect(seen[0] == before, "a stream with a name that only looks alike came through")
    print(f"fault 64: 3 spellings are one name, {len(wrong) + 2} others are not it")


if __name__ == "__main__":
    os.umask(0o077)
    harness.main(globals())
