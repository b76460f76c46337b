"""Fault 78 (docs/reliability.md): configurations that are wrong in every way. `check` and a start
refuse them with file, line and key; programs that run keep what they have."""

import os
import re
import signal
import socket
import time

import harness
from named_backends import ask, named_backend
from product import Edge, Sidecar

# {what: (text, line, words of the message)}. Without what was added these two are complete:
EDGE = "endpoint: a.test:51820\npublic: {ports: [443]}\n"
SIDECAR = ("edges: [{endpoint: 'a.test:1'}]\nservices:\n"
           "  one:\n    publish: ':1'\n    backend: 'b:1'\n")
WRONG = {
    "edge": {
        "no YAML": ("endpoint: [\n", 1, "is not closed"),
        "a list": ("- endpoint: a.test:1\n", 1, ""),
        "unknown key": (EDGE + "log: {level: info, levle: x}\n", 3, "log.levle: unknown key"),
        "unknown key, top": (EDGE + "pubic: {}\n", 3, "pubic: unknown key"),
        "key twice": (EDGE + "endpoint: b.test:1\n", 3, 'the key "endpoint" is there already'),
        "key twice, nested": (EDGE + "log:\n  level: info\n  level: warn\n", 5, '"level"'),
        "a port of the wrong kind": ("endpoint: a.test:1\npublic:\n  ports: [a]\n", 3, "public.ports[0]"),
        "a port out of range": ("endpoint: a.test:1\npublic: {ports: [65536]}\n", 2, "65536"),
        "a table for a text": ("endpoint: {a: 1}\npublic: {ports: [443]}\n", 1, "endpoint"),
        "a text for a table": ("endpoint: a.test:1\npublic: yes\n", 2, "public"),
        "a missing key": ("public: {ports: [443]}\n", 1, "endpoint"),
        "a missing variable": (EDGE + "state: ${NO_SUCH_VARIABLE}\n", 3, "NO_SUCH_VARIABLE"),
        "a missing file": (EDGE + "state: ${file:/no/such}\n", 3, "/no/such"),
        "NUL": (EDGE + "log: {level: \"in\0fo\"}\n", 3, "NUL"),
        "NUL, escaped": (EDGE + 'log: {level: "in\\0fo"}\n', 3, "log.level"),
        "no UTF-8": (EDGE.encode() + b"log: {level: \xff}\n", 3, "UTF-8"),
        "UTF-16": (EDGE.encode("utf-16"), 1, ""),
        "an alias in itself": (EDGE + "log: &a {level: info, more: *a}\n", 3, "alias"),
        "an alias of nothing": (EDGE + "log: *nobody\n", 3, "begins with *"),
        "aliases that multiply": (
            "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
                f"{new}: &{new} [{', '.join([f'*{old}'] * 10)}]\n"
                for old, new in zip("abcdefg", "bcdefgh")), 4, "10000"),
        "deep": (EDGE + "log: " + "[" * 50_000 + "\n", 3, "nested"),
        "2 MB": (EDGE + "# " + "x" * 2_000_000, 1, "1048576"),
        "two documents": (EDGE + "---\n" + EDGE, 3, "second document"),
        "a tag": ("endpoint: !!binary eA==\npublic: {ports: [443]}\n", 1, "tag"),
        "a merge key": (EDGE + "<<: {log: {level: info}}\n", 3, "<<"),
        "a tab": ("endpoint: a.test:1\n\tpublic: {ports: [443]}\n", 2, "tab"),
        "empty": ("", 1, "endpoint"),
    },
    "sidecar": {
        "unknown key": (SIDECAR + "    helth: none\n", 6, "services.one.helth: unknown key"),
        "key twice": (SIDECAR + "    backend: 'c:1'\n", 6, '"backend"'),
        "service twice": (SIDECAR + "  one: {publish: ':2', backend: 'b:2'}\n", 6, '"one"'),
        "a bad endpoint": (SIDECAR.replace("':1'", "'a..b:1'"), 4, "services.one.publish"),
        "a bad backend": (SIDECAR.replace("b:1", "b"), 5, "services.one.backend"),
        "a truncated ticket": ("edges: [{ticket: ss1_AAAA}]\n" + SIDECAR.split("\n", 1)[1], 1,
                               "ticket"),
    },
}
NOT_RELOADED = "configuration not reloaded, nothing has changed"


def refusal(stage, role, words):
    """What `sidestream WORDS` says about the wrong configuration; it must refuse it."""
    done = harness.run([harness.program(), *words], check=False, cwd=stage.folder)
    harness.expect(done.returncode == 2, f"exit code {done.returncode} of {words}\n{done.stderr}")
    return done.stdout + done.stderr


def expect_named(text, path, line, words, what):
    lines = [one for one in text.splitlines() if re.match(rf"{re.escape(str(path))}:{line}:\d+: ", one)]
    harness.expect(any(words in one for one in lines), f"{what}: line {line}, {words!r}:\n{text[:1000]}")
    harness.expect(len(text) < 20_000 and "\0" not in text, f"{what}: {len(text)} bytes of messages")


def write(path, text):
    path.write_bytes(text if isinstance(text, bytes) else text.encode())


def check_78_wrong_configurations_name_file_line_and_key(stage):
    count = slowest = 0
    for role, wrong in WRONG.items():
        path = stage.folder / f"{role}.yaml"
        for what, (text, line, words) in wrong.items():
            write(path, text)
            began = time.monotonic()
            said = [refusal(stage, role, ["check", f"--{role}", "--config", path]),
                    refusal(stage, role, [role, "--config", path])]
            slowest = max(slowest, (time.monotonic() - began) / 2)
            for text in said:
                expect_named(text, path, line, words, f"{role}, {what}")
            count += 1
    print(f"fault 78: {count} wrong configurations: check and start refuse each with file, line and "
          f"key, after {slowest * 1000:.0f} ms at most")


def check_78_running_programs_keep_their_configuration(stage):
    port = harness.free_port()
    backend, _ = named_backend(b"still here")
    edge = Edge(stage, [port])
    sidecar = Sidecar(stage, [edge.invite("home", f":{port}")], {
        "one": {"publish": f":{port}", "backend": f"127.0.0.1:{backend.port}", "health": "none"}})
    sidecar.wait_until_published(f":{port}")
    with socket.create_connection(("127.0.0.1", port), 10) as live:
        for role in (edge, sidecar):
            path = role.folder / f"{role.role}.yaml"
            for number, (what, (text, line, _)) in enumerate(WRONG[role.role].items(), 1):
                write(path, text)
                role.program.signal(signal.SIGHUP)
                harness.eventually(lambda: role.program.output().count(NOT_RELOADED) == number, 10,
                                   f"{what}: {role.name} says that nothing has changed")
                harness.expect(f"{path}:{line}:" in role.program.output(), f"{what}: and where")
                harness.expect(ask(port) == b"still here", f"{what}: the service is gone")
                said = refusal(stage, role.role, ["check", f"--{role.role}", "--config", path])
                harness.expect(str(path) in said, said)
        sidecar.wait_until_published(f":{port}")
        live.sendall(b"a stream from before")
        harness.expect(live.recv(100) == b"still here", "a stream from before")
    count = sum(len(wrong) for wrong in WRONG.values())
    print(f"fault 78: {count} times a wrong file and SIGHUP under running programs: nothing changed, "
          "a live stream went on")


if __name__ == "__main__":
    os.umask(0o077)
    harness.main(globals())
