"""What a running edge and sidecar have given up, as the kernel sees it."""

import base64
import os
import pathlib
import re
import signal

import harness
from faults_control_test import ask, named_backend
from product import Edge, Sidecar


def facts(role):
    return pathlib.Path(f"/proc/{role.pid}/status").read_text(encoding="ascii")


def check_both_programs_lock_themselves_in(stage):
    port = harness.free_port()
    backend, _ = named_backend(b"here")
    edge = Edge(stage, [port])
    sidecar = Sidecar(stage, [edge.invite("home", f":{port}")], {
        "one": {"publish": f":{port}", "backend": f"localhost:{backend.port}"}})
    sidecar.wait_until_published(f":{port}")
    harness.expect(ask(port) == b"here", "a stream, to a backend by name")
    for role in (edge, sidecar):
        status = facts(role)
        harness.expect(re.search(r"^NoNewPrivs:\s1$", status, re.M), status)
        harness.expect(re.search(r"^Seccomp:\s2$", status, re.M), status)
        limits = pathlib.Path(f"/proc/{role.pid}/limits").read_text(encoding="ascii")
        harness.expect(re.search(r"^Max core file size\s+0\s+0\s", limits, re.M), limits)
        harness.expect("less of a sandbox" not in role.program.output(), role.program.tail())
    # State is written and the admin socket is taken away as ever.
    edge.invite("another", ":1")
    harness.expect("another" in (edge.folder / "state/sidecars.json").read_text(), "kept")
    harness.expect(edge.program.stop() == 0 and not edge.admin.exists(), "a clean end")
    print("hardening: seccomp, no new privileges and no core dumps in both; state is still written")


def check_key_files_that_others_can_read_are_refused(stage):
    edge = Edge(stage, [harness.free_port()])
    edge.program.stop()
    key = edge.folder / "state/edge.key"
    harness.expect(key.stat().st_mode & 0o777 == 0o600, oct(key.stat().st_mode))
    key.chmod(0o640)
    edge.start()
    harness.expect(edge.program.wait(5) == 1, "it does not start")
    harness.expect("chmod 600" in edge.program.output(), edge.program.tail())
    key.chmod(0o600)
    edge.start().wait_until_up()
    print("hardening: a key file of mode 0640 is refused, with what to do")


def places_of(needles, pid):
    """{name of a needle: where it stands} in the memory of a process that it can write."""
    found = {}
    lines = pathlib.Path(f"/proc/{pid}/maps").read_text(encoding="utf-8").splitlines()
    with open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for line in lines:
            span, mode, *_, name = (line + " -").split()[:7]
            if not mode.startswith("rw"):
                continue
            begin, end = (int(word, 16) for word in span.split("-"))
            memory.seek(begin)
            content = memory.read(end - begin)
            for needle, text in needles.items():
                if text in content:
                    found.setdefault(needle, []).append(f"{name} {content.count(text)}")
    return found


def check_no_text_of_a_secret_stays_in_memory(stage):
    port = harness.free_port()
    edge = Edge(stage, [port])
    ticket = edge.invite("home", f":{port}")
    own, other = (re.findall(r"[A-Za-z0-9+/]{43}=",
                             harness.run([harness.program(), "keygen"]).stdout) for _ in range(2))
    preshared = base64.b64encode(os.urandom(32)).decode()
    sidecar = Sidecar(stage, [], {"one": {"publish": f":{port}", "backend": "127.0.0.1:9",
                                          "health": "none"}},
                      edges=[{"ticket": ticket},
                             {"endpoint": f"127.0.0.1:{port}", "public_key": other[1],
                              "private_key": own[0], "preshared_key": preshared,
                              "address": "10.86.0.9", "edge_address": "10.86.0.1"}])
    sidecar.program.wait_for_line("published endpoint")
    # The last 40 characters are of the secret; all before them is said elsewhere too.
    texts = {"ticket": ticket[-40:].encode(), "private key": own[0].encode(),
             "preshared key": preshared.encode(),
             "the edge's key": (edge.folder / "state/edge.key").read_bytes().strip()}
    # A check that cannot find anything would be none: the address is there.
    harness.expect(places_of({"known": b"10.86.0.9"}, sidecar.pid) or
                   places_of({"known": b"127.0.0.1"}, sidecar.pid), "memory can be searched")
    for role in (edge, sidecar):
        harness.expect(not places_of(texts, role.pid), f"{role.name}: {places_of(texts, role.pid)}")
    sidecar.program.signal(signal.SIGHUP)
    sidecar.program.wait_for_line("configuration reloaded")
    another = edge.invite("another", ":1")
    harness.eventually(lambda: not places_of({"ticket": another[-40:].encode()}, edge.pid), 3,
                       "a ticket that was handed out is gone")
    harness.expect(not places_of(texts, sidecar.pid), places_of(texts, sidecar.pid))
    print("hardening: no text of a ticket, a private or a preshared key in the memory of either "
          "program, after the start, after SIGHUP and after invite")


def check_secrets_of_a_configuration_that_others_can_read_are_refused(stage):
    port = harness.free_port()
    edge = Edge(stage, [port])
    ticket = stage.write("ticket", edge.invite("home", f":{port}"))
    services = {"one": {"publish": f":{port}", "backend": "127.0.0.1:9", "health": "none"}}
    sidecar = Sidecar(stage, [f"${{file:{ticket}}}"], services, start=False)
    sidecar.write_configuration()
    for mode in (0o644, 0o604, 0o660, 0o444):
        ticket.chmod(mode)
        for words in (("check",), ("sidecar",)):
            done = sidecar.run(*words, check=False)
            said = done.stdout + done.stderr
            harness.expect(done.returncode == 2 and f"chmod 600 {ticket}" in said, said)
            harness.expect("sidecar.yaml:" in said and "edges[0].ticket" in said, said)
    for mode in (0o600, 0o400, 0o640):
        ticket.chmod(mode)
        harness.expect(sidecar.run("check").returncode == 0, oct(mode))
    # As systemd hands it over, and through the environment.
    ticket.chmod(0o444)
    sidecar.environment["CREDENTIALS_DIRECTORY"] = str(stage.folder)
    sidecar.start().wait_until_published(f":{port}")
    sidecar.program.stop()
    environment = {**os.environ, "SIDESTREAM_TICKET_FILE": str(ticket),
                   "SIDESTREAM_PUBLISH": f":{port}", "SIDESTREAM_BACKEND": "127.0.0.1:9"}
    done = harness.run([harness.program(), "check", "--sidecar"], env=environment, check=False)
    harness.expect("chmod 600" in done.stdout + done.stderr, done.stdout + done.stderr)
    print("hardening: tickets in files of mode 0644, 0604, 0660 and 0444 are refused, 0600, 0400, "
          "0640 and systemd's are not")


if __name__ == "__main__":
    os.umask(0o022)
    harness.main(globals())
