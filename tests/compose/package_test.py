"""The Debian package on a machine with systemd: it installs, starts, is watched, upgrades and leaves
nothing. docs/packaging.md has the figures."""

import pathlib
import re
import sys
import time

from debian import Machine, harness, make_archive

PORT = 2222
EDGE = "sidestream-edge.service"
SIDECAR = "sidestream-sidecar.service"
EXPOSURE_MAX = 3.5
# The program that a unit's drop-in replaces the running one with.
RELOAD = "/usr/bin/sidestream edge --config /etc/sidestream/edge.yaml --take-over --background"
EDGE_YAML = """
endpoint: 127.0.0.1:51820
tunnel: {{listen: "127.0.0.1:51820"}}
public: {{address: 127.0.0.1, ports: [{port}]}}
"""
SIDECAR_YAML = """
admin: unix:/run/sidestream-home/admin.sock
services:
  echo: {{publish: ":{port}", backend: "127.0.0.1:7000"}}
"""
ECHO = harness.ROOT / "tests/system/ticking_streams.py"
ASK = f"""
import socket, sys
with socket.create_connection(("127.0.0.1", {PORT}), 5) as client:
    client.settimeout(5)
    client.sendall(b"hello")
    sys.exit(client.recv(100) != b"hello")
"""


class Host(Machine):
    """With the package, an edge and a sidecar."""

    def __init__(self, stage, package):
        super().__init__(stage, make_archive(stage, "system", ["systemd-sysv", "adduser", "dbus",
                                                               "ca-certificates"]))
        stage.start("echo", self.in_its_network(sys.executable, ECHO, "echo", "127.0.0.1", "7000"))
        self.install(package)

    def install(self, package):
        (self.root_seen_() / "package.deb").write_bytes(pathlib.Path(package).read_bytes())
        return self.run("dpkg", "--install", "/package.deb", seconds=60)

    def root_seen_(self):
        return pathlib.Path(f"/proc/{self.first_process_()}/root")

    def configure(self):
        self.write("/etc/sidestream/edge.yaml", EDGE_YAML.format(port=PORT))
        self.write("/etc/sidestream/sidecar.yaml", SIDECAR_YAML.format(port=PORT))
        self.write(f"/etc/systemd/system/{EDGE}.d/test.conf",
                   f"[Service]\nWatchdogSec=4\nExecReload=\nExecReload={RELOAD}\n")
        # Both on one machine: each wants a folder of its own below /run.
        self.write(f"/etc/systemd/system/{SIDECAR}.d/test.conf",
                   "[Service]\nRuntimeDirectory=\nRuntimeDirectory=sidestream-home\n"
                   "StateDirectory=\nStateDirectory=sidestream-home\n"
                   "Environment=SIDESTREAM_STATE=/var/lib/sidestream-home\n")
        self.run("systemctl", "daemon-reload")

    def invite(self):
        printed = self.run("setpriv", "--reuid=sidestream", "--regid=sidestream", "--clear-groups",
                           "sidestream", "invite", "home", "--allow", f":{PORT}", "--config",
                           "/etc/sidestream/edge.yaml").stdout
        self.write("/etc/sidestream/ticket",
                   re.search(r"ss1_[A-Za-z0-9_-]+", printed).group(0) + "\n", mode=0o600)

    def start(self, unit):
        done = self.run("systemctl", "enable", "--now", unit, check=False)
        harness.expect(done.returncode == 0, f"{done.stderr}\n{self.journal(unit)}")

    def main_process(self, unit=EDGE):
        return self.property(unit, "MainPID")

    def serves(self):
        return harness.run(self.in_its_network(sys.executable, "-c", ASK),
                           check=False).returncode == 0

    def journal(self, unit):
        return self.run("journalctl", "--no-pager", "--unit", unit, check=False).stdout


def it_starts_as_told(host):
    host.configure()
    host.start(EDGE)
    harness.expect(host.property(EDGE, "ActiveState") == "active", "ready means that it runs")
    host.invite()
    host.start(SIDECAR)
    harness.eventually(host.serves, 10, f"a stream is served\n{host.journal(SIDECAR)}")
    harness.expect(host.run("systemctl", "show", "--property", "Environment", SIDECAR).stdout
                   .count("ss1_") == 0, "the ticket is in the environment")


def it_is_watched(host):
    before = host.main_process()
    host.run("sh", "-c", f"kill -STOP {before}")
    began = time.monotonic()
    harness.eventually(lambda: host.main_process() not in (before, "0"), 20,
                       "systemd starts another one")
    harness.eventually(host.serves, 10, "a stream is served")
    print(f"  stood still: served again after {time.monotonic() - began:.1f} s "
          "(WatchdogSec=4, RestartSec=2)")


def a_reload_takes_over(host, stage):
    clients = stage.start("clients", host.in_its_network(
        sys.executable, ECHO, "clients", "127.0.0.1", str(PORT), "--streams", "5", "--seconds", "6"))
    clients.wait_for_line("up")
    before = host.main_process()
    host.run("systemctl", "reload", EDGE)
    harness.expect(host.main_process() not in (before, "0"), "the same process")
    harness.expect(host.property(EDGE, "ActiveState") == "active", host.journal(EDGE))
    harness.expect(host.serves(), "a stream is served")
    harness.expect(clients.wait(20) == 0, clients.output())
    # The watchdog does not miss the one that it had started.
    now = host.main_process()
    time.sleep(5)
    harness.expect(host.main_process() == now, host.journal(EDGE))


def an_upgrade_restarts_what_runs(host, stage, package):
    before = host.main_process(), host.main_process(SIDECAR)
    folder, newer = stage.folder / "newer", stage.folder / "newer.deb"
    harness.run(["dpkg-deb", "--raw-extract", package, folder])
    control = folder / "DEBIAN/control"
    text = control.read_text(encoding="utf-8")
    control.write_text(re.sub(r"(?m)^(Version: .*)$", r"\1+next", text), encoding="utf-8")
    harness.run(["dpkg-deb", "--root-owner-group", "--build", folder, newer], seconds=60)
    host.install(newer)
    after = host.main_process(), host.main_process(SIDECAR)
    harness.expect("0" not in after and not set(before) & set(after), f"{before} {after}")
    harness.eventually(host.serves, 10, "a stream is served")


def it_leaves_nothing(host):
    host.run("dpkg", "--remove", "sidestream", seconds=60)
    for unit in (EDGE, SIDECAR):
        harness.expect(host.property(unit, "ActiveState") != "active", f"{unit} runs")
    host.run("test", "-e", "/var/lib/sidestream/edge.key")
    host.run("rm", "-r", "/etc/sidestream", "/var/lib/sidestream-home")
    host.run("dpkg", "--purge", "sidestream", seconds=60)
    for path in ("/usr/bin/sidestream", "/var/lib/sidestream", "/etc/sidestream",
                 "/usr/share/doc/sidestream", "/etc/systemd/system/multi-user.target.wants/" + EDGE):
        host.run("test", "!", "-e", path)
    harness.expect(host.run("getent", "passwd", "sidestream", check=False).returncode != 0,
                   "the user is still there")


def the_units_are_closed(host):
    for unit in (EDGE, SIDECAR):
        said = host.run("systemd-analyze", "security", "--no-pager", unit).stdout
        exposure = float(re.search(r"Overall exposure level for \S+: ([0-9.]+)", said).group(1))
        print(f"  systemd-analyze security {unit}: {exposure}")
        harness.expect(exposure <= EXPOSURE_MAX, said)


def check_the_package_lives_its_life(stage):
    package = harness.run([harness.ROOT / "dev/package"], seconds=900).stdout.split()[-1]
    package = harness.ROOT / package
    host = Host(stage, package)
    for unit in (EDGE, SIDECAR):
        harness.expect(host.property(unit, "ActiveState") == "inactive", f"{unit} was started")
    for path in ("/usr/share/man/man1/sidestream.1.gz",
                 "/usr/share/bash-completion/completions/sidestream", "/etc/sidestream"):
        host.run("test", "-e", path)
    it_starts_as_told(host)
    the_units_are_closed(host)
    it_is_watched(host)
    a_reload_takes_over(host, stage)
    an_upgrade_restarts_what_runs(host, stage, package)
    it_leaves_nothing(host)


# What lintian may say: there is no address for the maintainer yet.
ERRORS_KNOWN = {"bogus-mail-host", "malformed-contact"}


def check_lintian_finds_nothing_new(_stage):
    package = harness.run([harness.ROOT / "dev/package"], seconds=900).stdout.split()[-1]
    said = harness.run([harness.tool("lintian"), "--allow-root", harness.ROOT / package],
                       seconds=120, check=False).stdout
    print("  " + said.replace("\n", "\n  ").rstrip())
    errors = {re.sub(r"^E: \S+: (\S+).*", r"\1", line) for line in said.splitlines()
              if line.startswith("E:")}
    harness.expect(errors <= ERRORS_KNOWN, said)


if __name__ == "__main__":
    harness.main(globals())
