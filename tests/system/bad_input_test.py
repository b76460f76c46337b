"""What a person is told who pastes half a ticket, takes a port that is in use, asks as the wrong user:
the place, the remedy, and the exit code that docs/configuration.md promises. What is wrong inside of a
file is in faults_configuration_test.py."""

import os
import re
import socket
import subprocess

import harness
from product import Edge, Sidecar

NOBODY = 65534
SERVICE = {"SIDESTREAM_PUBLISH": ":2222", "SIDESTREAM_BACKEND": "127.0.0.1:9"}


def clean_environment(**variables):
    kept = {key: value for key, value in os.environ.items()
            if not key.startswith("SIDESTREAM_") and key != "XDG_RUNTIME_DIR"}
    return {**kept, **variables}


def told(code, *words, environment=None, **options):
    """All that `sidestream WORDS` says, which must end with that code."""
    done = harness.run([harness.program(), *words], check=False,
                       env=clean_environment(**(environment or {})), **options)
    text = done.stdout + done.stderr
    harness.expect(done.returncode == code, f"code {done.returncode} and not {code}: {words}\n{text}")
    return text


def expect_says(text, *parts):
    for part in parts:
        harness.expect(part in text, f"{part!r} is not in:\n{text}")


def expect_hidden(ticket, text):
    """Not even a part of it that is longer than its public beginning."""
    harness.expect(ticket[4:16] not in text and ticket[-40:-8] not in text,
                   f"a ticket is shown:\n{text}")


def check_tickets_that_are_no_tickets(stage):
    ticket = Edge(stage, [harness.free_port()]).invite("home", ":2222")
    middle = len(ticket) // 2
    other = "A" if ticket[middle] != "A" else "B"
    wrong = {
        "hello": "this is not a ticket",
        ticket[:middle]: "the ticket is cut off",
        ticket[:-1]: "the ticket is cut off",
        ticket + "x": "something stands behind the end",
        f"{ticket} {ticket}": "holds a character that no ticket has",
        f'"{ticket}"': "this is not a ticket",
        "ss2" + ticket[3:]: "of a version that this sidestream does not know",
        ticket[:middle] + other + ticket[middle + 1:]: "the ticket's checksum does not match",
    }
    for text, words in wrong.items():
        environment = {"SIDESTREAM_TICKET": text, **SERVICE}
        for command in ("check", "sidecar"):
            said = told(2, command, environment=environment)
            expect_says(said, "SIDESTREAM_TICKET: ", words)
            expect_hidden(ticket, said)
    # In the file that a variable names, and in a configuration: the place is another one.
    cut = stage.write("ticket", ticket[:middle] + "\n")
    said = told(2, "check", environment={"SIDESTREAM_TICKET_FILE": str(cut), **SERVICE})
    expect_says(said, "SIDESTREAM_TICKET_FILE: the ticket is cut off")
    file = stage.write("sidecar.yaml", "edges:\n  - ticket: ${file:ticket}\nservices:\n"
                                       "  a: {publish: ':2222', backend: 'b:1'}\n")
    expect_says(told(2, "check", "--config", file),
                f"{file}:2:13: edges[0].ticket: the ticket is cut off")


def check_a_ticket_in_a_wrong_place_is_not_shown(stage):
    ticket = Edge(stage, [harness.free_port()]).invite("home", ":2222")
    for words in (["sidecar", ticket], ["invite", ticket, "--allow", ":1"],
                  ["invite", "home", "--allow", ticket], ["revoke", ticket], [ticket],
                  [f"--{ticket}"], ["check", "--config", ticket], ["status", "--admin", ticket]):
        expect_hidden(ticket, told(2, *words))
    for variable in ("SIDESTREAM_PUBLISH", "SIDESTREAM_BACKEND", "SIDESTREAM_TICKET_FILE"):
        environment = {**SERVICE, "SIDESTREAM_TICKET": ticket, variable: ticket}
        expect_hidden(ticket, told(2, "check", environment=environment))
    file = stage.write("wrong.yaml", f"endpoint: {ticket}\nsidecars: {{{ticket}: {ticket}}}\n"
                                     f"log: {{level: {ticket}, {ticket}: 1}}\n{ticket}: 1\n")
    expect_hidden(ticket, told(2, "check", "--config", file))


def check_malformed_variables_name_themselves(_stage):
    said = told(2, "check", environment={
        "SIDESTREAM_TICKET": "x", "SIDESTREAM_PUBLISH": "1.2.3.4:5, a..b :70000 2222",
        "SIDESTREAM_BACKEND": "nas,http://nas unix:relative"})
    expect_says(said, 'SIDESTREAM_PUBLISH: "1.2.3.4:5": ', 'SIDESTREAM_PUBLISH: "a..b": ',
                'SIDESTREAM_PUBLISH: ":70000": ', 'SIDESTREAM_PUBLISH: "2222": ',
                'SIDESTREAM_BACKEND: "nas": ', 'SIDESTREAM_BACKEND: "http://nas": ',
                'SIDESTREAM_BACKEND: "unix:relative": ', "environment: 8 problems")
    said = told(2, "sidecar", environment={"SIDESTREAM_BACKEND": "nas:1"})
    expect_says(said, "SIDESTREAM_PUBLISH: is not set, but SIDESTREAM_BACKEND is")
    said = told(2, "sidecar", environment={**SERVICE, "SIDESTREAM_TICKET": "a",
                                           "SIDESTREAM_TICKET_FILE": "b"})
    expect_says(said, "SIDESTREAM_TICKET_FILE: is set, and so is SIDESTREAM_TICKET")


def check_tickets_that_open_nothing_are_told_apart(stage):
    port, other_port = harness.free_port(), harness.free_port()
    edge = Edge(stage, [port])
    other = Edge(stage, [other_port], name="other")
    services = {"it": {"publish": f":{port}", "backend": "127.0.0.1:9", "health": "none"}}
    ticket = edge.invite("home", f":{port}")

    # Revoked before it was ever used, and asked by a process that starts only now.
    edge.revoke("home")
    revoked = Sidecar(stage, [ticket], services, name="revoked")
    revoked.program.wait_for_line("this sidecar was revoked", seconds=10)
    harness.eventually(lambda: (revoked.status() or {}).get("edges", [{}])[0].get("tunnel_state")
                       == "revoked", 5, "status says that it was revoked")
    said = revoked.run("status").stdout
    expect_says(said, "revoked", "sidestream invite", "see PROBLEM above")
    said = revoked.run("health", check=False)
    harness.expect(said.returncode == 1 and "revoked" in said.stdout, f"{said}")

    # A good ticket whose edge listens elsewhere by now: another edge does not know it.
    ticket = edge.invite("home", f":{port}")
    edge.program.stop()
    other.configuration["tunnel"]["listen"] = f"127.0.0.1:{edge.tunnel_port}"
    other.program.stop()
    other.start().wait_until_up()
    wrong = Sidecar(stage, [ticket], services, name="wrong")
    wrong.program.wait_for_line(f"nothing answers at UDP 127.0.0.1:{edge.tunnel_port}; is the edge "
                                "running there", seconds=20)
    for log in (revoked, wrong):
        expect_hidden(ticket, log.program.output())


def check_ports_that_are_taken(stage):
    port = harness.free_port()
    with socket.create_server(("127.0.0.1", port)):
        edge = Edge(stage, [port])
        edge.program.stop()
        file = edge.write_configuration()
        said = told(0, "check", "--config", file)
        expect_says(said, f"warning: public.ports: cannot listen on 127.0.0.1:{port}: another "
                          "program listens there", "`ss -tulpn")
        edge.start().wait_until_up()
        sidecar = Sidecar(stage, [edge.invite("home", f":{port}")], {
            "it": {"publish": f":{port}", "backend": "127.0.0.1:9", "health": "none"}})
        sidecar.program.wait_for_line("waits for the edge.*another program listens there")
        expect_says(edge.run("status").stdout, "another program listens there")
    # Nobody has to do anything when it is free again.
    sidecar.wait_until_published(f":{port}", seconds=15)

    taken = harness.free_port()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind(("127.0.0.1", taken))
        file = stage.write("taken.yaml", f"endpoint: 127.0.0.1:{taken}\n"
                                         f"tunnel: {{listen: '127.0.0.1:{taken}'}}\n"
                                         f"state: {stage.folder}/taken\n")
        expect_says(told(1, "edge", "--config", file),
                    f"cannot listen on UDP 127.0.0.1:{taken}: another program listens there",
                    "(tunnel.listen)")


def check_files_that_cannot_be_read_and_programs_that_do_not_run(stage):
    expect_says(told(2, "check", "--config", stage.folder / "none.yaml"),
                "none.yaml: No such file or directory; give a file")
    expect_says(told(2, "edge", "--config", stage.folder), "Is a directory")
    file = stage.write("edge.yaml", "endpoint: 127.0.0.1:1\nadmin: unix:/no/such.sock\n")
    for words in (["status"], ["health"], ["revoke", "home"], ["invite", "home", "--allow", ":1"]):
        said = told(3, *words, "--config", file)
        expect_says(said, f"sidestream {words[0]}: no sidestream answers at unix:/no/such.sock")
    blocked = stage.write("file", "x")
    file = stage.write("blocked.yaml", f"endpoint: 127.0.0.1:1\nstate: {blocked}/state\n")
    expect_says(told(0, "check", "--config", file), "warning: state: this user cannot use or make")
    expect_says(told(1, "edge", "--config", file), "state", "set `state` to a folder")
    expect_says(told(0, "keygen"), "private_key: ", "public_key: ")
    harness.expect(re.fullmatch(r"sidestream \d+\.\d+\.\d+\S*\n", told(0, "version")), "version")


def check_without_privileges_low_ports_are_explained(stage):
    if os.getuid() != 0:
        print("not root: another user's view cannot be had")
        return
    stage.folder.chmod(0o755)
    program = stage.folder / "sidestream"
    program.write_bytes(open(harness.program(), "rb").read())
    program.chmod(0o755)
    home = stage.folder / "home"
    home.mkdir()
    os.chown(home, NOBODY, NOBODY)
    first_free = int(open("/proc/sys/net/ipv4/ip_unprivileged_port_start", encoding="ascii").read())
    low = next((port for port in range(first_free - 1, 0, -1)), None)
    file = stage.write("low.yaml", f"endpoint: 127.0.0.1:1\nstate: {home}/state\n"
                                   f"admin: unix:{home}/admin.sock\n"
                                   f"public: {{address: 127.0.0.1, ports: [{low}]}}\n", mode=0o644)
    if low is not None:
        done = subprocess.run([program, "check", "--config", file], user=NOBODY, group=NOBODY,
                              extra_groups=[], capture_output=True, text=True, check=False)
        harness.expect(done.returncode == 0, f"{done}")
        expect_says(done.stderr, f"public.ports: cannot listen on 127.0.0.1:{low}: ",
                    "CAP_NET_BIND_SERVICE")
    # The admin socket belongs to whoever runs the program.
    edge = Edge(stage, [harness.free_port()])
    edge.folder.chmod(0o755)
    done = subprocess.run([program, "status", "--admin", f"unix:{edge.admin}"], user=NOBODY,
                          group=NOBODY, extra_groups=[], capture_output=True, text=True, check=False)
    harness.expect(done.returncode == 3, f"{done}")
    expect_says(done.stderr, "Permission denied", "ask as the user that runs it")


if __name__ == "__main__":
    os.umask(0o077)
    harness.main(globals())
