"""A Docker daemon that can be stopped, killed and started again, for tests of what watches it. Its
image is one static busybox. The script runs in namespaces of its own (network, processes, mounts),
so that whatever becomes of the daemon, nothing of it is left.

    docker_engine.enter_namespaces()
    engine = Engine(stage).start()
    engine.serve("web", {"sidestream.services.web.publish": ":8080"})
"""

import os
import shutil
import signal
import sys
import tarfile

import harness

IMAGE = "box"
NETWORK = "apps"
SUBNET = "10.213.77.0/24"
INSIDE = "SIDESTREAM_TEST_INSIDE"


def enter_namespaces():
    """Starts the script anew; returns where it is in them."""
    if os.environ.get(INSIDE) is None:
        harness.expect(os.geteuid() == 0, "a Docker daemon needs root")
        os.environ[INSIDE] = "1"
        os.execv(harness.tool("unshare"), ["unshare", "--net", "--pid", "--mount", "--fork",
                                           "--kill-child=SIGTERM", "--mount-proc", sys.executable,
                                           *sys.argv])
    harness.run(["ip", "link", "set", "lo", "up"])


class Engine:
    def __init__(self, stage):
        self.stage = stage
        self.folder = stage.folder / "engine"
        (self.folder / "data").mkdir(parents=True)
        harness.run(["mount", "-t", "tmpfs", "tmpfs", self.folder / "data"])
        self.socket = self.folder / "docker.sock"
        self.program = None
        self.starts_ = 0

    def start(self):
        self.starts_ += 1
        # What one that was killed leaves: in here nobody takes dead processes away, so that they
        # would be held for alive.
        for left in ("pid", "run/containerd/containerd.pid"):
            (self.folder / left).unlink(missing_ok=True)
        self.program = self.stage.start(
            f"dockerd-{self.starts_}",
            [harness.tool("dockerd"), "--data-root", self.folder / "data", "--exec-root",
             self.folder / "run", "--pidfile", self.folder / "pid", "--host",
             f"unix://{self.socket}", "--bridge", "none", "--iptables=false", "--ip6tables=false",
             "--log-level", "warn"])
        harness.eventually(lambda: self.run("version", check=False).returncode == 0, 60,
                           "dockerd answers")
        return self

    def stop(self):
        self.program.stop(30)

    def kill(self):
        self.program.signal(signal.SIGKILL)
        self.program.wait(10)

    def run(self, *words, **options):
        return harness.run([harness.tool("docker"), *words], env={
            **os.environ, "DOCKER_HOST": f"unix://{self.socket}",
            "DOCKER_CONFIG": str(self.folder / "config")}, **options)

    def make_image(self):
        root = self.folder / "root"
        (root / "bin").mkdir(parents=True)
        shutil.copy(harness.tool("busybox"), root / "bin/busybox")
        (root / "bin/sh").symlink_to("busybox")
        archive = self.folder / "root.tar"
        with tarfile.open(archive, "w") as tar:
            tar.add(root, arcname=".")
        self.run("import", archive, IMAGE)
        self.run("network", "create", "--subnet", SUBNET, NETWORK)

    def serve(self, name, labels, *options):
        """A container whose web server, on port 8080, says its name."""
        words = [word for key, text in labels.items() for word in ("--label", f"{key}={text}")]
        self.run("run", "--detach", "--name", name, "--network", NETWORK, *words, *options, IMAGE,
                 "/bin/sh", "-c", f"/bin/busybox mkdir /www; echo {name} >/www/index.html; "
                 "exec /bin/busybox httpd -f -p 8080 -h /www", seconds=60)

    def set_well(self, name, well):
        self.run("exec", name, "/bin/busybox", *(("touch",) if well else ("rm", "-f")), "/ok")
