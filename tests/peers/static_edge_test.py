"""The static edge: a VPS with nothing of sidestream on it, only WireGuard (wireguard-go) and HAProxy
or NGINX as docs/edges/static.md has them: one wildcard route to the sidecar's tunnel port 443. Needs
root.

    client ─▶ HAProxy or NGINX ─▶ wireguard-go ═══▶ sidecar's tunnel port 443 ─▶ backend
"""

import os
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "system")]

import harness  # noqa: E402
import proxy_header  # noqa: E402
from backends import TlsServer  # noqa: E402
from namespaces import Namespaces  # noqa: E402
from nginx_router import main_configuration  # noqa: E402
from product import Sidecar  # noqa: E402
from router_edge import documented_configuration, replaced  # noqa: E402
from wireguard_go import WireGuardGo  # noqa: E402
from wireguard_keys import Keys, peer_section, preshared_key  # noqa: E402

NAME, SEES_CLIENT = "web.home.test", "proxy.home.test"
VPS, HOME = "192.0.2.1", "192.0.2.2"
VPS_TUNNEL, HOME_TUNNEL = "10.99.0.1", "10.99.0.2"
DOCUMENT = "static.md"
REPLACED = {"home.example.com": "home.test", "10.86.0.2": HOME_TUNNEL}
# What the backend of SEES_CLIENT does: shows the PROXY header that the sidecar sent.
SHOW_HEADER = """
import asyncio, sys
sys.path.insert(0, sys.argv[1])
import proxy_header
async def serve(reader, writer):
    header = await proxy_header.read(reader)
    print("client", header.source[0], flush=True)
    writer.close()
async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", int(sys.argv[2]))
    print("ready", flush=True)
    await server.serve_forever()
asyncio.run(main())
"""


class StaticEdge:
    """The VPS and the home, each in a namespace of its own."""

    def __init__(self, stage, spaces, start_router):
        self.vps, self.home = spaces.add("vps"), spaces.add("home")
        spaces.link(self.vps, f"{VPS}/24", self.home, f"{HOME}/24")
        edge_keys, preshared = Keys(), preshared_key()
        sidecar_private, sidecar_public = self.keygen(stage)
        self.go = WireGuardGo(stage, self.vps, edge_keys.private, f"{VPS_TUNNEL}/24", [
            peer_section(sidecar_public, f"{HOME_TUNNEL}/32", preshared=preshared)], 51820)
        self.tls = TlsServer(stage, NAME, enter=self.home.enter)
        self.shown = harness.free_port()
        self.show = stage.start("show", [*self.home.enter, sys.executable, "-c", SHOW_HEADER,
                                         HERE.parent / "system", self.shown])
        self.show.wait_for_line("^ready")
        self.router = start_router(stage, self.vps)
        self.sidecar = Sidecar(stage, [], {
            "web": {"publish": NAME, "backend": f"127.0.0.1:{self.tls.port}", "health": "none"},
            "show": {"publish": SEES_CLIENT, "backend": f"127.0.0.1:{self.shown}",
                     "health": "none", "proxy_protocol": "v2"}},
            edges=[{"endpoint": f"{VPS}:51820", "public_key": edge_keys.public,
                    "private_key": f"${{file:{stage.write('sidecar.key', sidecar_private)}}}",
                    "preshared_key": preshared, "address": HOME_TUNNEL,
                    "edge_address": VPS_TUNNEL}],
            enter=self.home.enter)
        harness.eventually(lambda: self.go.handshake_age() is not None, 30, "the handshake")
        harness.eventually(lambda: f"{VPS}:443" in self.vps.run("ss", "-tlnH"), 10,
                           "the router listens")

    @staticmethod
    def keygen(stage):
        """The two keys that `sidestream keygen` prints."""
        text = harness.run([harness.program(), "keygen"]).stdout
        keys = re.findall(r"[A-Za-z0-9+/]{43}=", text)
        harness.expect(len(keys) == 2, f"keygen says {text!r}")
        return keys

    def client(self, name):
        done = harness.run([*self.vps.enter, "curl", "-sS", "--noproxy", "*", "--max-time", "20",
                            "--cacert", self.tls.certificate, "--resolve", f"{name}:443:{VPS}",
                            f"https://{name}/"], check=False)
        return done.stdout + done.stderr


def start_haproxy(stage, vps):
    text = replaced(documented_configuration(DOCUMENT, "haproxy"),
                    {**REPLACED, ":::443 v4v6": f"{VPS}:443"})
    return stage.start("haproxy", [*vps.enter, harness.tool("haproxy"), "-db", "-f",
                                   stage.write("haproxy.cfg", text)])


def start_nginx(stage, vps):
    text = replaced(documented_configuration(DOCUMENT, "nginx"),
                    {**REPLACED, "listen 443;": f"listen {VPS}:443;",
                     "        listen [::]:443;\n": ""})
    main = main_configuration(stage.folder, text)
    return stage.start("nginx", [*vps.enter, harness.tool("nginx"), "-c",
                                 stage.write("nginx-main.conf", main), "-g", "daemon off;"])


def check_haproxy_routes_by_name_through_wireguard_go(stage):
    routes_by_name(stage, start_haproxy)


def check_nginx_routes_by_name_through_wireguard_go(stage):
    routes_by_name(stage, start_nginx)


def routes_by_name(stage, start_router):
    with Namespaces() as spaces:
        edge = StaticEdge(stage, spaces, start_router)
        for _ in range(20):
            page = edge.client(NAME)
            harness.expect("Ciphers supported" in page, page)
        edge.client(SEES_CLIENT)
        edge.show.wait_for_line(rf"^client {re.escape(VPS)}$")
        harness.expect("Ciphers" not in edge.client("nobody.home.test"), "an unknown name was served")
        # There is nobody to publish to, and nothing is wrong with that.
        done = edge.sidecar.run("health", check=False)
        harness.expect(done.returncode == 0, done.stdout + done.stderr)
        harness.expect({one["state"] for one in edge.sidecar.endpoints().values()} == {"by name"},
                       edge.sidecar.endpoints())


if __name__ == "__main__":
    os.umask(0o077)
    harness.main(globals())
