"""NGINX with the documented configuration, in front of an edge."""

import os
import pathlib
import re
import signal

import harness
from router_edge import RouterWorld, documented_configuration, replaced

MODULE = "/usr/lib/nginx/modules/ngx_stream_module.so"


def main_configuration(folder, stream, workers=1):
    """What stands around the `stream` section."""
    return "\n".join([f"load_module {MODULE};" if pathlib.Path(MODULE).exists() else "",
                      "user root;" if os.geteuid() == 0 else "", f"worker_processes {workers};",
                      f"error_log {folder}/nginx-error.log notice;", f"pid {folder}/nginx.pid;",
                      "events { worker_connections 4000; }", stream])


class Nginx:
    WORKERS = 1

    def __init__(self, stage, world):
        self.stage = stage
        self.answers_port = world.answers_port
        self.file = world.state / "nginx.conf"
        self.pid_file = stage.folder / "nginx.pid"
        stream = replaced(documented_configuration("nginx.md", "nginx"), {
            "/var/lib/sidestream/nginx.conf": self.file,
            "listen 443;": f"listen 127.0.0.1:{world.names_port};",
            "        listen [::]:443;\n": "",
            "listen 2222;": f"listen 127.0.0.1:{world.raw_port}-{world.last_raw_port};",
            "        listen [::]:2222;\n": "",
            "        listen 50000-50099;\n": "",
            "        listen [::]:50000-50099;\n": "",
            "listen 127.0.0.1:5149;": f"listen 127.0.0.1:{world.answers_port};"})
        self.configuration = stage.write("nginx-main.conf", main_configuration(
            stage.folder, stream, self.WORKERS))
        self.program = None
        self.starts = 0

    def start(self):
        self.starts += 1
        self.pid_file.unlink(missing_ok=True)
        self.program = self.stage.start(f"nginx-{self.starts}", [
            harness.tool("nginx"), "-c", self.configuration, "-g", "daemon off;"])
        harness.eventually(lambda: self.pid_file.exists() and self.pid_file.read_text().strip(), 10,
                           "NGINX has started")
        harness.wait_for_port(self.answers_port)
        return self

    def reload(self):
        self.program.signal(signal.SIGHUP)

    def endpoints(self):
        """What the file has."""
        return set(re.findall(r"^#@ (.*)$", self.file.read_text(), re.MULTILINE))

    def reloads(self):
        log = (self.stage.folder / "nginx-error.log").read_text(errors="replace")
        return log.count("(SIGHUP) received")

    def workers(self):
        """Of all generations."""
        children = pathlib.Path(f"/proc/{self.program.pid}/task/{self.program.pid}/children")
        return len(children.read_text().split())


def world_with_nginx(stage, reload=None):
    """The edge runs first, so that the file is there."""
    answers_port = harness.free_port()
    world = RouterWorld(stage, lambda inlet: {"nginx": {
        "listen": inlet, "answers": f"127.0.0.1:{answers_port}",
        "reload": reload or str(stage.folder / "nginx.pid")}})
    world.answers_port = answers_port
    world.edge.start().wait_until_up()
    harness.eventually((world.state / "nginx.conf").exists, 10, "the edge has made the file")
    return world, Nginx(stage, world).start()
