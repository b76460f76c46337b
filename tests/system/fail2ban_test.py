"""Debian's fail2ban reads a sidecar's log with the filter that is shipped, and bans with its action."""

import os
import pathlib
import re
import shutil
import socket

import harness
from client_policy_test import HOME, STRANGER, Home

SHIPPED = pathlib.Path(__file__).resolve().parents[2] / "compose" / "fail2ban"
TEXT = ("2026-11-21T08:00:00.123Z info  stream ended service=ssh endpoint=:2222 client={} "
        "result={} bytes_in=0 bytes_out=0 duration=1.25s end=\"{}\"")
JSON = ('{{"time":"2026-11-21T08:00:00.123Z","level":"info","event":"stream ended","service":"ssh",'
        '"endpoint":"*.a.example.com:444","client":"{}","result":"{}","bytes_in":0,"bytes_out":0,'
        '"duration":1.25,"end":"{}"}}')


def found_by_filter(stage, lines, mode="normal"):
    """The addresses, in the order of the lines."""
    log = stage.write("lines.log", "\n".join(lines) + "\n")
    done = harness.run([harness.tool("fail2ban-regex"), "--out", "ip", log,
                        f"{SHIPPED}/filter.d/sidestream.conf[mode={mode}]"], check=False)
    harness.expect(done.returncode in (0, 1) and "Traceback" not in done.stderr,
                   done.stdout + done.stderr)
    return done.stdout.split()


def check_the_filter_finds_clients_and_nobody_else(stage):
    for form in (TEXT, JSON):
        lines = [form.format(client, result, "refused")
                 for client, result in (("192.0.2.1:5022", "too_fast"),
                                        ("[2001:db8::1]:5022", "denied"),
                                        ("192.0.2.2:1", "too_many_of_client"),
                                        ("192.0.2.3:1", "finished"), ("192.0.2.4:1", "banned"),
                                        ("192.0.2.5:1", "too_many_streams"),
                                        ("192.0.2.6:1", "tls_failed"))]
        found = found_by_filter(stage, lines)
        harness.expect(found == ["192.0.2.1", "2001:db8::1", "192.0.2.2"], found)
        found = found_by_filter(stage, lines, "aggressive")
        harness.expect(found == ["192.0.2.1", "2001:db8::1", "192.0.2.2", "192.0.2.6"], found)
    journal = "2026-11-21T08:00:01.500000+0000 home sidestream[4711]: "
    found = found_by_filter(stage, [journal + TEXT.format("192.0.2.9:1", "denied", "refused")])
    harness.expect(found == ["192.0.2.9"], found)
    # What a client can have a hand in, such as the name in its certificate, gets nobody banned.
    name = ' client=192.0.2.7:1 result=denied '
    forged = [TEXT.format("192.0.2.8:1", "finished", "both ended") +
              f' client_certificate="CN=x\\"{name}"',
              "2026-11-21T08:00:00.123Z info  stream refused edge=vps client=192.0.2.8:1 "
              f'why="no service for stream ended service=a endpoint=:1{name}"']
    found = found_by_filter(stage, forged)
    harness.expect(not found, found)


class Fail2ban:
    """A server of our own with nothing but our jail."""

    def __init__(self, stage, log, admin):
        folder = stage.folder / "fail2ban"
        shutil.copytree(SHIPPED, folder, ignore=shutil.ignore_patterns("jail.d", "*.md"))
        self.words = ["-c", folder, "-s", stage.folder / "f2b.sock", "-p", stage.folder / "f2b.pid"]
        (folder / "fail2ban.conf").write_text(
            "[Definition]\nloglevel = INFO\nlogtarget = STDOUT\nsyslogsocket = auto\n"
            f"socket = {stage.folder}/f2b.sock\npidfile = {stage.folder}/f2b.pid\ndbfile = None\n"
            "dbpurgeage = 1d\nallowipv6 = auto\n")
        (folder / "jail.conf").write_text(
            "[DEFAULT]\n\n[sidestream]\nenabled = true\nfilter = sidestream\nbackend = polling\n"
            f"logpath = {log}\nusedns = no\nmaxretry = 1\nfindtime = 10m\nbantime = 1h\n"
            f"action = sidestream[sidestream=\"{harness.program()}\", "
            f"where=\"--admin unix:{admin}\"]\n")
        self.server = stage.start("fail2ban", [harness.tool("fail2ban-server"), "-f",
                                               *self.words, "start"])
        self.server.wait_for_line("Jail 'sidestream' started", 20)

    def client(self, *words):
        return harness.run([harness.tool("fail2ban-client"), *self.words, *words]).stdout


def check_fail2ban_bans_who_comes_too_often(stage):
    home = Home(stage, {"limits": {"per_client": 1}})
    fail2ban = Fail2ban(stage, home.sidecar.program.log, home.sidecar.admin)
    with home.dial(STRANGER) as live, home.dial(HOME) as other:
        harness.expect(live.recv(5) == other.recv(5) == b"hello", "one stream of each")
        harness.expect(not home.serves(STRANGER), "the second of one client")
        try:
            rest = live.recv(1)  # the ban ends it
        except ConnectionResetError:
            rest = b""
        harness.expect(rest == b"", "the live stream is cut")
        bans = harness.eventually(lambda: home.sidecar.status()["bans"], 10, "a ban")
        harness.expect([one["network"] for one in bans] == [f"{STRANGER}/32"], bans)
        harness.expect(3500 < bans[0]["seconds"] <= 3600, bans)
        harness.expect(not home.serves(STRANGER), "nor a new one")
        other.sendall(b"still")
        harness.expect(other.recv(5) == b"still", "others do not notice")
    fail2ban.client("set", "sidestream", "unbanip", STRANGER)
    harness.eventually(lambda: home.serves(STRANGER), 10, "the end of the ban")


def check_bans_by_hand(stage):
    home = Home(stage, {})
    done = home.sidecar.run("ban", STRANGER)
    harness.expect("127.0.0.3/32 is banned for 10m" in done.stdout, done.stdout)
    harness.expect(not home.serves(STRANGER) and home.serves(HOME), "banned")
    table = home.sidecar.run("status").stdout
    harness.expect(re.search(r"127\.0\.0\.3/32 +(9|10) min", table), table)
    # It outlives a restart, and also another process that takes over.
    home.sidecar.program.stop()
    home.sidecar.start()
    home.sidecar.wait_until_published(f":{home.port}")
    harness.expect(not home.serves(STRANGER), "banned after a restart")
    home.sidecar.upgrade()
    harness.expect(not home.serves(STRANGER), "banned after an upgrade")
    done = home.sidecar.run("unban", STRANGER)
    harness.expect("is no longer banned" in done.stdout, done.stdout)
    harness.eventually(lambda: home.serves(STRANGER), 3, "served again, when the edge has heard")
    harness.expect("was not banned" in home.sidecar.run("unban", STRANGER).stdout, "once")
    home.sidecar.run("ban", "127.0.0.0/24", "--for", "1s")
    harness.expect(not home.serves(STRANGER), "a network")
    harness.eventually(lambda: home.serves(STRANGER), 5, "a ban that is over")
    with socket.socket(socket.AF_UNIX) as admin:
        admin.connect(str(home.sidecar.admin))
        admin.sendall(b"POST /v1/ban HTTP/1.1\r\nhost: admin\r\ncontent-length: 2\r\n\r\n{}")
        harness.expect(b" 400 " in admin.recv(4096), "a bad request")


def check_an_edge_refuses_whom_its_sidecar_has_banned(stage):
    home = Home(stage, {})
    home.sidecar.run("ban", STRANGER)

    def refused_by_edge():
        home.serves(STRANGER)
        return "banned by the sidecar" in home.edge.program.output()
    harness.eventually(refused_by_edge, 5, "a refusal by the edge")
    at_home = home.metric("sidestream_service_streams_total")
    for _ in range(5):
        harness.expect(not home.serves(STRANGER), "banned")
    harness.expect(home.serves(HOME), "somebody else")
    harness.expect(home.metric("sidestream_service_streams_total") == at_home + 1,
                   "the sidecar hears of none of them")
    # A restarted edge is told again, and so is one that takes over.
    home.edge.upgrade()
    seen = home.edge.program.output().count("banned by the sidecar")
    harness.expect(not home.serves(STRANGER), "banned after an upgrade")
    harness.eventually(
        lambda: home.edge.program.output().count("banned by the sidecar") > seen, 3, "by the edge")
    home.sidecar.run("unban", STRANGER)
    harness.eventually(lambda: home.serves(STRANGER), 5, "the end of the ban")


def check_an_edge_may_leave_it_to_the_sidecar(stage):
    home = Home(stage, {}, edge={"honour_bans": False})
    home.sidecar.run("ban", STRANGER)
    for _ in range(3):
        harness.expect(not home.serves(STRANGER), "banned")
    harness.expect("banned by the sidecar" not in home.edge.program.output(),
                   home.edge.program.tail())
    harness.expect(home.metric("sidestream_service_streams_refused_total", reason="banned") == 3,
                   "counted at home")


if __name__ == "__main__":
    os.umask(0o077)
    harness.main(globals())
