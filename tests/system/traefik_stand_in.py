"""What an edge sees of Traefik: a program that asks an HTTP provider for TCP routers, tells them by
its API, and routes by them. By the documents of Traefik 3; it is no Traefik.

    traefik_stand_in.py API_PORT PROVIDER NAME=PORT…

PROVIDER is the port where it asks, or the file that it reads.
"""

import asyncio
import contextlib
import json
import pathlib
import re
import sys
import urllib.request

import hello_bytes
import proxy_header

POLL_SECONDS = 0.2


class StandIn:
    def __init__(self, provider, entry_points):
        self.provider = provider
        self.kind = "http" if provider.isdigit() else "file"
        self.entry_points = entry_points
        self.tcp = {}

    async def poll(self):
        url = f"http://127.0.0.1:{self.provider}/sidestream"

        def ask():
            if self.kind == "file":
                return json.loads(pathlib.Path(self.provider).read_text(encoding="utf-8"))
            with urllib.request.urlopen(url, timeout=5) as answer:
                return json.load(answer)
        while True:
            with contextlib.suppress(OSError, ValueError):  # it keeps what it has
                self.tcp = (await asyncio.to_thread(ask)).get("tcp", {})
            await asyncio.sleep(POLL_SECONDS)

    async def answer_api(self, reader, writer):
        target = (await reader.readline()).split()[1].decode()
        while (await reader.readline()).strip():
            pass
        documents = {
            "/api/entrypoints": [{"address": f"127.0.0.1:{port}", "name": name}
                                 for name, port in self.entry_points.items()],
            "/api/rawdata": {"tcpRouters": {
                f"{name}@{self.kind}": {**router, "status": "enabled", "using": router["entryPoints"]}
                for name, router in self.tcp.get("routers", {}).items()}}}
        body = json.dumps(documents[target]).encode()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                     b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        writer.close()

    def router_for(self, entry_point, name):
        """`name` is None for what is no TLS."""
        here = [router for router in self.tcp.get("routers", {}).values()
                if entry_point in router["entryPoints"]]
        if name is None:
            return next((one for one in here if "tls" not in one), None)
        for router in sorted((one for one in here if "tls" in one),
                             key=lambda one: -len(one["rule"])):
            kind, value = re.match(r"(\w+)\(`(.*)`\)", router["rule"]).groups()
            matches = (re.search(value, name) if kind == "HostSNIRegexp" else
                       value in ("*", name))
            if matches:
                return router
        return None

    async def route(self, entry_point, reader, writer):
        first, name = b"", None
        has_tls = any("tls" in one and entry_point in one["entryPoints"]
                      for one in self.tcp.get("routers", {}).values())
        if has_tls:
            first = await reader.read(65536)
            if first[:1] == b"\x16":
                name = (hello_bytes.name_seen_by_openssl(first) or b"").decode().lower()
        router = self.router_for(entry_point, name)
        if not router:
            writer.close()
            return
        balancer = self.tcp["services"][router["service"]]["loadBalancer"]
        address, _, port = balancer["servers"][0]["address"].rpartition(":")
        home_reader, home_writer = await asyncio.open_connection(address, int(port))
        assert balancer["proxyProtocol"] == {"version": 2}
        home_writer.write(proxy_header.v2(writer.get_extra_info("peername"),
                                          writer.get_extra_info("sockname")) + first)
        await asyncio.gather(self.copy(reader, home_writer), self.copy(home_reader, writer))

    @staticmethod
    async def copy(reader, writer):
        with contextlib.suppress(OSError):
            while part := await reader.read(65536):
                writer.write(part)
                await writer.drain()
            writer.write_eof()


async def main():
    api_port, provider, *entry_points = sys.argv[1:]
    pairs = (word.split("=") for word in entry_points)
    stand_in = StandIn(provider, {name: int(port) for name, port in pairs})
    servers = [await asyncio.start_server(stand_in.answer_api, "127.0.0.1", int(api_port))]
    for name, port in stand_in.entry_points.items():
        servers.append(await asyncio.start_server(
            lambda reader, writer, name=name: stand_in.route(name, reader, writer), "127.0.0.1",
            port))
    print("ready", flush=True)
    await stand_in.poll()


if __name__ == "__main__":
    asyncio.run(main())
