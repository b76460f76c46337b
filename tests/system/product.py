"""Edge and sidecar as a test starts them: ordinary processes on loopback that share only a ticket.

    edge = Edge(stage, ports=[port])
    sidecar = Sidecar(stage, [edge.invite("home", f":{port}")],
                      {"echo": {"publish": f":{port}", "backend": "127.0.0.1:7"}})
    sidecar.wait_until_published(f":{port}")
"""

import json
import os
import pathlib
import re
import time

import harness

NETWORK = "10.86.0.0/24"
EDGE_TUNNEL_ADDRESS = "10.86.0.1"
CONTROL_PORT = 5151


class Role:
    """A running `sidestream edge` or `sidestream sidecar` with its configuration."""

    def __init__(self, stage, role, name, configuration, enter=(), environment=None):
        self.stage = stage
        self.role = role
        self.name = name
        self.enter = list(enter)
        # Lets a test that is not root look into /proc.
        self.environment = {**os.environ, "SIDESTREAM_DEBUG": "1", **(environment or {})}
        self.folder = stage.folder / name
        self.folder.mkdir(mode=0o700, exist_ok=True)
        self.admin = self.folder / "admin.sock"
        self.configuration = {"state": str(self.folder / "state"), "admin": f"unix:{self.admin}",
                              **configuration}
        self.program = None
        self.starts_ = 0

    def write_configuration(self):
        # JSON is YAML too.
        return self.stage.write(f"{self.name}/{self.role}.yaml",
                                json.dumps(self.configuration, indent=1))

    def start(self):
        self.starts_ += 1
        self.program = self.stage.start(
            f"{self.name}-{self.starts_}",
            [*self.enter, harness.program(), self.role, "--config", self.write_configuration()],
            env=self.environment)
        return self

    def upgrade(self, seconds=20, enter=None):
        """Starts another process that takes over; the one that has handed over and lives on."""
        old = self.program
        self.starts_ += 1
        self.program = self.stage.start(
            f"{self.name}-{self.starts_}",
            [*(self.enter if enter is None else enter), harness.program(), self.role,
             "--take-over", "--config", self.write_configuration()], env=self.environment)
        self.program.wait_for_line("taken over", seconds)
        harness.eventually(self.status, seconds, f"{self.name} answers status")
        return old

    def run(self, command, *words, **options):
        """Runs `sidestream COMMAND … --config FILE` for this role."""
        return harness.run([*self.enter, harness.program(), command, *words, "--config",
                            self.folder / f"{self.role}.yaml"], env=self.environment, **options)

    def status(self):
        """What `sidestream status --json` says; None while it cannot be asked."""
        harness.expect(self.program.running(), f"{self.name} has ended\n{self.program.tail()}")
        done = harness.run([harness.program(), "status", "--json", "--admin", f"unix:{self.admin}"],
                           check=False)
        return json.loads(done.stdout) if done.returncode == 0 else None

    def wait_until_up(self, seconds=10):
        harness.eventually(self.status, seconds, f"{self.name} answers status")
        return self

    # ---- what the kernel knows about the process ----------------------------------------------
    @property
    def pid(self):
        return self.program.pid

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def memory_bytes_(self, field):
        text = pathlib.Path(f"/proc/{self.pid}/smaps_rollup").read_text(encoding="ascii")
        return int(re.search(rf"^{field}:\s+(\d+) kB", text, re.MULTILINE).group(1)) * 1024

    def resident_bytes(self):
        return self.memory_bytes_("Rss")

    def own_bytes(self):
        """What is resident and no file's: heap and stack, without the program and its libraries."""
        return self.memory_bytes_("Anonymous")

    def cpu_seconds(self):
        fields = pathlib.Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii")
        words = fields.rpartition(")")[2].split()
        return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")

    def log_lines(self):
        return self.program.output().splitlines()


class Edge(Role):
    """Listens on 127.0.0.1 for the tunnel and for clients on `ports`."""

    def __init__(self, stage, ports, name="edge", address="127.0.0.1", sidecars=None, start=True,
                 endpoint=None, more=None, **options):
        self.tunnel_port = harness.free_port()
        configuration = {
            "endpoint": f"{endpoint or address}:{self.tunnel_port}",
            "tunnel": {"mode": "userspace", "listen": f"{address}:{self.tunnel_port}",
                       "network": NETWORK},
            "public": {"address": address, "ports": list(ports)},
            **({"sidecars": sidecars} if sidecars else {}), **(more or {})}
        super().__init__(stage, "edge", name, configuration, **options)
        if start:
            self.start().wait_until_up()

    def invite(self, name, *allow):
        """Enrols a sidecar; the ticket."""
        words = [word for endpoint in allow for word in ("--allow", endpoint)]
        output = self.run("invite", name, *words).stdout
        return re.search(r"ss1_[A-Za-z0-9_-]+", output).group(0)

    def public_key(self):
        """Of its tunnel, as its log says."""
        return self.program.wait_for_line(r"public_key=\"?([A-Za-z0-9+/]{43}=)").group(1)

    def revoke(self, name):
        return self.run("revoke", name)


class Sidecar(Role):
    """Publishes `services` (as in sidecar.yaml) on the edges of its tickets."""

    def __init__(self, stage, tickets, services, name="sidecar", start=True, edges=None, more=None,
                 **options):
        configuration = {"edges": edges or [{"ticket": ticket} for ticket in tickets],
                         "services": services, "tunnel": {"mode": "userspace"}, **(more or {})}
        super().__init__(stage, "sidecar", name, configuration, **options)
        if start:
            self.start()

    def endpoints(self):
        """{endpoint: its part of the status}, of the last edge that has it."""
        status = self.status() or {}
        return {endpoint["endpoint"]: endpoint for service in status.get("services", [])
                for endpoint in service["endpoints"]}

    def wait_until_published(self, *wanted, seconds=15):
        """Returns how long that took."""
        began = time.monotonic()

        def published():
            endpoints = self.endpoints()
            return all(endpoints.get(name, {}).get("state") == "published" for name in wanted)
        harness.eventually(published, seconds, f"{' '.join(wanted)} published by {self.name}")
        return time.monotonic() - began
