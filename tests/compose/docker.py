"""A Docker daemon of a test's own, and images for it. Needs root.

The daemon lives in namespaces of its own (network, processes, mounts), so that nothing of it can be
left behind or meet a daemon that runs here already; what it stores is in memory. Images come from a
Debian base that debootstrap makes from this machine's own package source, in place of a hub's.
"""

import hashlib
import os
import shutil

from debian import harness, make_archive

BASE = "sidestream-test/base"
IMAGE = "sidestream"
EXAMPLES = harness.ROOT / "compose"
DAEMON = """
ip link set lo up
mount -t tmpfs tmpfs {data}
exec dockerd --data-root {data} --exec-root {run} --pidfile {run}/docker.pid \
  --host unix://{socket} --bip 172.29.0.1/16 \
  --default-address-pool base=172.30.0.0/16,size=24 --log-level warn
"""


class Docker:
    """The daemon, with the command line tools pointed at it."""

    def __init__(self, stage):
        harness.expect(os.geteuid() == 0, "a Docker daemon needs root")
        self.stage = stage
        folder = stage.folder / "docker"
        data, run, socket = folder / "data", folder / "run", folder / "docker.sock"
        self.socket = str(socket)
        for one in (data, run):
            one.mkdir(parents=True)
        self.environment = {**os.environ, "DOCKER_HOST": f"unix://{socket}",
                            "DOCKER_BUILDKIT": "0", "COMPOSE_DOCKER_CLI_BUILD": "0",
                            "DOCKER_CONFIG": str(folder / "config")}
        self.program = stage.start("dockerd", [
            harness.tool("unshare"), "--net", "--pid", "--mount", "--fork", "--kill-child=SIGTERM",
            "--mount-proc", "sh", "-c", DAEMON.format(data=data, run=run, socket=socket)])
        harness.eventually(self.answers_, 60, "dockerd answers")

    def answers_(self):
        harness.expect(self.program.running(), f"dockerd ended\n{self.program.tail()}")
        return self.run("version", check=False).returncode == 0

    def in_its_network(self, *words):
        """A command of this machine's on the daemon's host."""
        inside = harness.run(["pgrep", "-P", str(self.program.pid)]).stdout.split()[0]
        return [harness.tool("nsenter"), "--net", "--target", inside, *words]

    def run(self, *words, **options):
        return harness.run(["docker", *words], env=self.environment, **options)

    def compose(self, folder, *words, environment=None, **options):
        """`docker-compose` in the folder of a project."""
        return harness.run(["docker-compose", "--ansi", "never", *words], cwd=folder,
                           env={**self.environment, **(environment or {})}, **options)

    # ---- images -------------------------------------------------------------------------------
    def make_base(self, *packages):
        """The base image, with these packages of Debian in it."""
        name = "base-" + hashlib.sha256(" ".join(packages).encode()).hexdigest()[:8]
        archive = make_archive(self.stage, name, packages)
        self.run("import", archive, BASE, seconds=300)

    def make_image(self, name, *lines, **files):
        """An image on top of the base, from lines of a Dockerfile and executable files."""
        folder = self.stage.folder / f"image-{name.replace('/', '-')}"
        folder.mkdir()
        for file, text in files.items():
            (folder / file).write_text(text, encoding="utf-8")
            (folder / file).chmod(0o755)
        (folder / "Dockerfile").write_text("\n".join([f"FROM {BASE}", *lines, ""]),
                                           encoding="utf-8")
        self.run("build", "--quiet", "--tag", name, folder, seconds=300)

    def make_sidestream(self, *arguments, tag=IMAGE, seconds=300):
        """Our own image, by our Dockerfile, from the program under test."""
        context = self.stage.folder / "context"
        if not context.exists():
            shutil.copytree(harness.ROOT / "dev", context / "dev")
            for file in ("LICENSE", "CMakeLists.txt"):
                shutil.copy(harness.ROOT / file, context)
            shutil.copy(harness.program(), context / "program")
        self.run("build", "--quiet", "--tag", tag, "--file", EXAMPLES / "Dockerfile",
                 "--build-arg", f"BASE={BASE}", "--build-arg", "PROGRAM=program", *arguments,
                 context, seconds=seconds)


class Project:
    """One example of compose/, copied, as a user would have it."""

    def __init__(self, docker, example, name=None, service="sidestream", replace=None,
                 environment=None, network=None, networks=None):
        self.docker = docker
        self.folder = docker.stage.folder / "projects" / (name or example)
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.copytree(EXAMPLES / example, self.folder)
        for file, changes in (replace or {}).items():
            path = self.folder / file
            text = path.read_text(encoding="utf-8")
            for old, new in changes.items():
                harness.expect(old in text, f"{old!r} is not in {file}")
                text = text.replace(old, new)
            path.write_text(text, encoding="utf-8")
        self.service = service
        self.environment = environment or {}
        self.files_ = ["--file", "compose.yaml"]
        if network:
            self.join_(network, networks)

    def join_(self, network, networks):
        """Another project's network, in place of the internet."""
        has_apps = "apps:" in (self.folder / "compose.yaml").read_text(encoding="utf-8")
        own = networks or ("[default, apps, internet]" if has_apps else "[default, internet]")
        (self.folder / "internet.yaml").write_text(
            f"services: {{{self.service}: {{networks: {own}}}}}\n"
            f"networks: {{internet: {{external: true, name: {network}}}}}\n", encoding="utf-8")
        self.files_ += ["--file", "internet.yaml"]

    def compose(self, *words, seconds=120, check=True):
        return self.docker.compose(self.folder, *self.files_, *words, seconds=seconds,
                                   check=check, environment=self.environment)

    def up(self):
        self.compose("up", "--detach", "--no-build", seconds=180)
        return self

    def container(self, service):
        return self.compose("ps", "--quiet", service).stdout.strip()

    def sidestream(self, *words, check=True):
        """A command in the container of our own."""
        return self.compose("exec", "-T", self.service, "sidestream", *words, check=check)

    def healthy(self):
        return self.sidestream("health", check=False).returncode == 0

    def state_of_health(self, service):
        return self.docker.run("inspect", "--format", "{{.State.Health.Status}}",
                               self.container(service)).stdout.strip()

    def address(self, service):
        listed = self.docker.run(
            "inspect", "--format", "{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}",
            self.container(service)).stdout
        return listed.split()
