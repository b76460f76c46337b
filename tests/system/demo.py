"""What dev/demo shows. Run it through dev/demo."""

import os
import pathlib
import re
import shlex
import shutil
import signal
import sys

import backends
import harness

NAME = "tls.demo.test"
UNPRIVILEGED = 65534  # nobody
STEP_SECONDS = 30

EDGE = """\
endpoint: 127.0.0.1:{tunnel_port}
tunnel: {{listen: "127.0.0.1:{tunnel_port}", network: 10.86.0.0/24}}
public: {{address: "127.0.0.1", ports: [{ssh_port}, {tls_port}]}}
state: {folder}/state
admin: unix:{folder}/admin.sock
"""

SIDECAR = """\
edges:
  - ticket: ${{SIDESTREAM_TICKET}}
services:
  ssh:
    publish: ":{ssh_port}"
    backend: 127.0.0.1:{ssh_backend}
    health: ssh
  web:
    publish: {name}:{tls_port}
    backend: 127.0.0.1:{tls_backend}
    health: tls
state: {folder}/state
admin: unix:{folder}/admin.sock
"""


def say(text):
    print(f"\n\033[1m{text}\033[0m" if sys.stdout.isatty() else f"\n== {text}", flush=True)


def show(text):
    print("\n".join("   " + line for line in text.rstrip().splitlines()), flush=True)


def spoken(command):
    return "$ " + shlex.join(str(word) for word in command)


class Demo:
    def __init__(self, stage):
        self.stage = stage
        self.program = harness.program()
        self.prefix = []
        if os.geteuid() == 0:
            self.drop_privileges()
        self.ssh_port, self.tls_port, self.tunnel_port = (harness.free_port() for _ in range(3))

    def drop_privileges(self):
        """Root shows it as nobody, who may not be able to reach the tree."""
        self.prefix = [harness.tool("setpriv"), f"--reuid={UNPRIVILEGED}",
                       f"--regid={UNPRIVILEGED}", "--clear-groups", "--inh-caps=-all",
                       "--bounding-set=-all", "--no-new-privs", "--pdeathsig=KILL"]
        self.stage.folder.chmod(0o711)
        copy = self.stage.folder / "sidestream"
        shutil.copy(self.program, copy)
        copy.chmod(0o755)
        self.program = str(copy)

    def home_of(self, role, configuration, **values):
        """A folder for one of the two programs, with its configuration."""
        folder = self.stage.folder / role
        folder.mkdir(mode=0o700)
        text = configuration.format(folder=folder, name=NAME, ssh_port=self.ssh_port,
                                    tls_port=self.tls_port, tunnel_port=self.tunnel_port, **values)
        path = self.stage.write(f"{role}/{role}.yaml", text)
        if self.prefix:
            for one in (folder, path):
                os.chown(one, UNPRIVILEGED, UNPRIVILEGED)
        return path

    def start(self, role, path, **environment):
        command = [self.program, role, "--config", path]
        show(spoken(command))
        return self.stage.start(role, [*self.prefix, *command], env={**os.environ, **environment})

    def run(self, *words):
        command = [self.program, *words]
        show(spoken(command))
        return harness.run([*self.prefix, *command]).stdout

    def backends(self):
        say("Backends: an OpenSSH server and a TLS server, as they could run at home")
        self.ssh = backends.OpenSshServer(self.stage)
        self.tls = backends.TlsServer(self.stage, NAME)
        show(f"OpenSSH on 127.0.0.1:{self.ssh.port}, TLS on 127.0.0.1:{self.tls.port}")

    def edge(self):
        say("The edge, as it would run on a VPS")
        self.edge_yaml = self.home_of("edge", EDGE)
        show(self.edge_yaml.read_text())
        self.edge_program = self.start("edge", self.edge_yaml)
        socket = self.edge_yaml.parent / "admin.sock"
        harness.eventually(lambda: socket.exists() or not self.edge_program.running(),
                           STEP_SECONDS, "the edge has started")
        harness.expect(self.edge_program.running(), "the edge ended")

    def ticket(self):
        say("A ticket: all that the two will share")
        answer = self.run("invite", "home", "--allow", f":{self.ssh_port}", "--allow",
                          f"{NAME}:{self.tls_port}", "--config", self.edge_yaml)
        found = re.search(r"ss1_[A-Za-z0-9_-]+", answer)
        harness.expect(found, f"no ticket in {answer!r}")
        show(found.group()[:24] + "…")
        return found.group()

    def sidecar(self, ticket):
        say("The sidecar, as it would run at home: it dials out, nothing dials in")
        path = self.home_of("sidecar", SIDECAR, ssh_backend=self.ssh.port,
                            tls_backend=self.tls.port)
        show(path.read_text())
        self.sidecar_program = self.start("sidecar", path, SIDESTREAM_TICKET=ticket)
        self.sidecar_socket = f"unix:{path.parent}/admin.sock"

    def published(self):
        harness.eventually(lambda: harness.port_open(self.ssh_port), STEP_SECONDS,
                           f"the edge listens on {self.ssh_port} for the sidecar")

    def client_ssh(self):
        say("A client: ssh to the published port")
        question = "echo logged in, and 6 x 7 is $((6*7))"
        command = [*self.ssh.ssh("127.0.0.1", self.ssh_port), question]
        show(spoken(["ssh", "-p", self.ssh_port, "127.0.0.1", question]))
        # The sidecar has to find the backend healthy first.
        answer = harness.eventually(lambda: self.try_client(command), STEP_SECONDS, "ssh logs in")
        show(answer)
        harness.expect(answer == "logged in, and 6 x 7 is 42\n", f"ssh said {answer!r}")

    def client_tls(self):
        say("Another client: TLS to the published name, ended by the backend's own certificate")
        command = ["curl", "--silent", "--show-error", "--noproxy", "*", "--cacert",
                   self.tls.certificate, "--resolve", f"{NAME}:{self.tls_port}:127.0.0.1",
                   f"https://{NAME}:{self.tls_port}/"]
        show(spoken(["curl", f"https://{NAME}:{self.tls_port}/"]))
        answer = harness.eventually(lambda: self.try_client(command), STEP_SECONDS, "curl gets in")
        harness.expect("Ciphers supported" in answer, f"the page is {answer!r}")
        show("\n".join(line for line in re.sub("<[^>]*>", "", answer).splitlines()
                       if re.match(r"s_server|New,|    (Protocol|Cipher) ", line)))

    def client_unknown(self):
        say("And one who asks for a name that nobody has published")
        command = ["openssl", "s_client", "-connect", f"127.0.0.1:{self.tls_port}", "-servername",
                   "other.demo.test"]
        show(spoken(command))
        answer = harness.run(command, check=False)
        refusal = re.search(r"unrecognized name", answer.stderr)
        harness.expect(refusal, f"openssl said {answer.stderr}")
        show("refused: " + refusal.group())

    def try_client(self, command):
        for one in (self.edge_program, self.sidecar_program):
            harness.expect(one.running(), f"the {one.name} ended\n{one.tail()}")
        return harness.run(command, check=False).stdout

    def status(self):
        say("What the edge says")
        show(self.run("status", "--admin", f"unix:{self.edge_yaml.parent}/admin.sock"))
        say("What the sidecar says")
        show(self.run("status", "--admin", self.sidecar_socket))

    def without_sidecar(self):
        say("The sidecar stops: nothing of it is left on the edge")
        harness.expect(self.sidecar_program.stop(STEP_SECONDS) == 0, "the sidecar did not end well")
        harness.eventually(lambda: not self.client_is_served(), STEP_SECONDS, "ssh is not served")
        harness.expect(self.edge_program.stop(STEP_SECONDS) == 0, "the edge did not end well")
        show("nobody is served any more, and both programs ended with exit code 0")

    def client_is_served(self):
        command = [*self.ssh.ssh("127.0.0.1", self.ssh_port), "true"]
        return harness.run(command, check=False).returncode == 0

    def invitation(self):
        say("Try it yourself, from another terminal")
        show("\n\n".join([
            shlex.join(self.ssh.ssh("127.0.0.1", self.ssh_port)),
            f"curl --cacert {self.tls.certificate} --resolve {NAME}:{self.tls_port}:127.0.0.1 "
            f"https://{NAME}:{self.tls_port}/",
            f"{self.program} status --watch --admin {self.sidecar_socket}",
        ]))
        say("It stays up until Ctrl-C")

    def show_all(self):
        self.backends()
        self.edge()
        self.sidecar(self.ticket())
        self.published()
        self.client_ssh()
        self.client_tls()
        self.client_unknown()
        self.status()


def main():
    once = sys.argv[1:] == ["--once"]
    signal.signal(signal.SIGTERM, harness.ended_by_signal)
    privilege_folder = pathlib.Path("/run/sshd")
    was_there = privilege_folder.exists()
    with harness.Stage() as stage:
        try:
            demo = Demo(stage)
            demo.show_all()
            if once:
                demo.without_sidecar()
                say("Every step worked")
            else:
                demo.invitation()
                signal.pause()
        except harness.Failure as failure:
            print(f"\ndev/demo: {failure}\n{stage.logs()}", file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            say("Ends")
        finally:
            if not was_there and privilege_folder.exists() and os.geteuid() == 0:
                privilege_folder.rmdir()
    return 0


if __name__ == "__main__":
    sys.exit(main())
