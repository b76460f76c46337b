"""Podman: our image in its default sandbox, and services by labels of its containers. Needs podman,
busybox-static, and root."""

import os
import pathlib
import re
import shutil

import debian  # the path of what is imported next
import docker_engine
from product import Edge
from stalled_readers import SANDBOX

harness = debian.harness
IMAGE_CHANGES = ["--change", "USER 65532:65532", "--change", 'ENTRYPOINT ["sidestream"]',
                 "--change", 'CMD ["sidecar"]']
HYBRID = pathlib.Path("/sys/fs/cgroup/unified")


class Podman:
    def __init__(self, stage):
        self.stage = stage
        self.folder = stage.folder / "podman"
        self.folder.mkdir()
        # A folder of its own: who has the folder finds a new socket in it.
        self.socket = self.folder / "socket/podman.sock"
        self.socket.parent.mkdir()
        self.service = None
        # Its runtime refuses control groups of both versions at once.
        if HYBRID.is_mount():
            harness.run(["umount", HYBRID])

    def words(self, *words):
        return [harness.tool("podman"), "--root", self.folder / "root", "--runroot",
                self.folder / "run", "--storage-driver", "vfs", "--cgroup-manager", "cgroupfs",
                "--events-backend", "file", *words]

    def run(self, *words, **options):
        return harness.run(self.words(*words), seconds=60, **options)

    def make_image(self, name, root, *changes):
        archive = self.folder / f"{name}.tar"
        harness.run(["tar", "-C", root, "-cf", archive, "."])
        self.run("import", *changes, archive, name)
        archive.unlink()

    def start_service(self):
        self.service = self.stage.start("service", self.words(
            "system", "service", "--time", "0", f"unix://{self.socket}"))
        harness.eventually(self.socket.exists, 20, "the socket")
        self.socket.chmod(0o666)  # our image does not run as root
        harness.eventually(self.answers, 10, "the socket answers")

    def answers(self):
        return harness.run(["curl", "--silent", "--max-time", "2", "--unix-socket", self.socket,
                            "http://podman/_ping"], check=False).stdout == "OK"

    def end_service(self):
        self.service.kill()
        harness.expect(not self.answers(), "it still answers")
        self.socket.unlink(missing_ok=True)


def make_images(podman):
    """Ours, from the folder that its Dockerfile makes, and one with busybox."""
    ours = podman.folder / "ours"
    harness.run([harness.ROOT / "dev/image-root", harness.program(), ours])
    podman.make_image("sidestream", ours, *IMAGE_CHANGES)
    box = podman.folder / "box"
    (box / "bin").mkdir(parents=True)
    shutil.copy(harness.tool("busybox"), box / "bin/busybox")
    (box / "bin/sh").symlink_to("busybox")
    podman.make_image("box", box)


def check_image_and_labels(stage):
    podman = Podman(stage)
    make_images(podman)
    said = podman.run("run", "--rm", *SANDBOX, "--network", "none", "localhost/sidestream",
                      "version").stdout
    harness.expect(re.fullmatch(r"sidestream \d+\.\d+\.\d+\n", said), said)

    port, inner = harness.free_port(), harness.free_port()
    edge = Edge(stage, [port])
    podman.start_service()
    podman.run("run", "--detach", "--name", "sidecar", *SANDBOX, "--network", "host",
               "--volume", f"{podman.socket.parent}:/engine", "--env",
               "SIDESTREAM_TICKET=" + edge.invite("home", f":{port}"), "--env",
               "SIDESTREAM_DOCKER_SOCKET=unix:/engine/podman.sock", "localhost/sidestream")

    def serve():
        podman.run("run", "--detach", "--name", "web", "--network", "host", "--label",
                   f"sidestream.services.web.publish=:{port}", "--label",
                   f"sidestream.services.web.port={inner}", "localhost/box", "/bin/sh", "-c",
                   "/bin/busybox mkdir /www; echo hello >/www/index.html; "
                   f"exec /bin/busybox httpd -f -p 127.0.0.1:{inner} -h /www")

    def answers():
        return harness.run(["curl", "--silent", "--noproxy", "*", "--max-time", "2",
                            f"http://127.0.0.1:{port}/"], check=False).stdout == "hello\n"

    def log():
        return podman.run("logs", "sidecar", check=False).stderr

    serve()
    harness.eventually(answers, 15, f"a container by its labels\n{log()}")
    podman.run("rm", "--force", "--time", "0", "web")
    harness.eventually(lambda: not answers(), 10, "it is gone")
    # Without an engine what is known stays; afterwards there is something new.
    podman.end_service()
    serve()
    podman.start_service()
    harness.eventually(answers, 15, "a container that came while the service was away")
    print("  podman " + podman.run("version", "--format", "{{.Client.Version}}").stdout.strip()
          + ": our image in its sandbox, a service by labels, the service's socket gone and back")
    podman.run("rm", "--force", "--time", "2", "--all")


if __name__ == "__main__":
    if not os.environ.get(docker_engine.INSIDE):
        os.environ.setdefault("SIDESTREAM_PROGRAM", harness.program())
    docker_engine.enter_namespaces()
    harness.main(globals())
