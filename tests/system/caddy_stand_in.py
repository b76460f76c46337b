"""What an edge sees of Caddy with the app layer4: an admin API that keeps a configuration, and TCP
servers that follow it. By the documents and the published field names of Caddy 2 and caddy-l4, of
which it refuses every other one, as they do; it is no Caddy.

    caddy_stand_in.py ADMIN_PORT [CONFIGURATION]
"""

import asyncio
import contextlib
import copy
import json
import pathlib
import sys

import hello_bytes
import proxy_header

# The JSON names in caddy-l4: layer4/app.go, server.go, routes.go, modules/l4proxy/proxy.go and
# upstream.go, modules/l4tls. `@id` is Caddy's own and may be anywhere.
FIELDS = {"app": {"servers"}, "server": {"listen", "routes", "matching_timeout"},
          "route": {"match", "handle"}, "match": {"tls"}, "tls": {"sni"},
          "handler": {"handler", "upstreams", "health_checks", "load_balancing", "proxy_protocol"},
          "upstream": {"dial"}}


class Refused(Exception):
    pass


def check(what, value):
    unknown = set(value) - FIELDS[what] - {"@id"}
    if unknown:
        raise Refused(f"{what}: unknown field {sorted(unknown)[0]!r}")
    return value


def routes_of(server):
    """[(names or None, where to)], as far as they are the proxy's."""
    routes = []
    for route in check("server", server).get("routes", []):
        names = None
        for match in check("route", route).get("match", []):
            names = check("tls", check("match", match)["tls"])["sni"]
        for handler in route["handle"]:
            if handler["handler"] != "proxy":
                raise Refused(f"unknown module: layer4.handlers.{handler['handler']}")
            (upstream,) = check("handler", handler)["upstreams"]
            if handler["proxy_protocol"] != "v2":
                raise Refused("proxy_protocol")
            routes.append((names, check("upstream", upstream)["dial"][0]))
    return routes


class Configuration:
    """The tree that the API changes; a change that is refused has not been."""

    def __init__(self, tree):
        self.tree = {"config": tree}

    def find_id(self, node, name, path):
        if isinstance(node, dict) and node.get("@id") == name:
            return path
        children = (node.items() if isinstance(node, dict) else
                    enumerate(node) if isinstance(node, list) else ())
        for key, child in children:
            found = self.find_id(child, name, [*path, str(key)])
            if found:
                return found
        return None

    def path_of(self, target):
        parts = [part for part in target.split("/") if part]
        if parts[0] != "id":
            return parts
        found = self.find_id(self.tree, parts[1], [])
        if not found:
            raise Refused(f"unknown object ID '{parts[1]}'")
        return [*found, *parts[2:]]

    def change(self, method, target, value):
        *way, last = self.path_of(target)
        node = self.tree
        for part in way:
            if isinstance(node, dict) and node.get(part) is None and method == "PUT":
                node[part] = {}
            node = node[int(part)] if isinstance(node, list) else (node or {}).get(part)
        if isinstance(node, list):
            last = int(last)
            if not 0 <= last < len(node):
                raise Refused("array index out of bounds")
            if method == "PUT":
                node.insert(last, value)
            elif method == "PATCH":
                node[last] = value
            elif method == "DELETE":
                del node[last]
        elif not isinstance(node, dict):
            raise Refused("invalid traversal path")
        elif method == "POST" and isinstance(node.get(last), list):
            node[last].append(value)
        elif method == "DELETE":
            del node[last]
        elif (method == "PUT") == (last in node):
            raise Refused("key already exists" if method == "PUT" else "key does not exist")
        else:
            node[last] = value


class StandIn:
    def __init__(self, tree):
        self.configuration = Configuration(tree)
        self.listeners = {}  # port: server
        self.routes = {}

    async def apply(self):
        apps = (self.configuration.tree["config"] or {}).get("apps", {})
        routes = {}
        for server in check("app", apps.get("layer4", {})).get("servers", {}).values():
            (listen,) = server["listen"]
            routes[int(listen.rpartition(":")[2])] = routes_of(server)
        for port in routes.keys() - self.listeners.keys():
            self.listeners[port] = await asyncio.start_server(
                lambda reader, writer, port=port: self.route(port, reader, writer), "127.0.0.1",
                port)
        for port in self.listeners.keys() - routes.keys():
            self.listeners.pop(port).close()
        self.routes = routes

    async def answer(self, method, target, body):
        if method == "GET":
            return 200, json.dumps(self.configuration.tree["config"], sort_keys=True)
        before = copy.deepcopy(self.configuration.tree)
        try:
            self.configuration.change(method, target, json.loads(body or b"null"))
            await self.apply()
        except (Refused, KeyError, ValueError, OSError) as error:
            self.configuration.tree = before
            await self.apply()
            return 400, json.dumps({"error": str(error)})
        return 200, ""

    async def admin(self, reader, writer):
        method, target, _ = (await reader.readline()).decode().split()
        fields = {}
        while line := (await reader.readline()).decode().strip():
            name, _, value = line.partition(":")
            fields[name.lower()] = value.strip()
        body = await reader.readexactly(int(fields.get("content-length", 0)))
        status, text = await self.answer(method, target, body)
        if method not in ("GET", "DELETE") and "/json" not in fields.get("content-type", ""):
            status, text = 400, "content-type"
        writer.write(f"HTTP/1.1 {status} X\r\nConnection: close\r\n"
                     f"Content-Length: {len(text)}\r\n\r\n{text}".encode())
        writer.close()

    async def route(self, port, reader, writer):
        first, name = b"", None
        if any(names for names, _ in self.routes[port]):
            first = await reader.read(65536)
            name = (hello_bytes.name_seen_by_openssl(first) or b"").decode().lower()
        where = next((where for names, where in self.routes[port]
                      if names is None or name in names or
                      name and "*." + name.partition(".")[2] in names), None)
        if not where:
            writer.close()
            return
        address, _, home_port = where.rpartition(":")
        home_reader, home_writer = await asyncio.open_connection(address, int(home_port))
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
    tree = json.loads(pathlib.Path(sys.argv[2]).read_text("utf-8")) if len(sys.argv) > 2 else None
    stand_in = StandIn(tree)
    await stand_in.apply()
    admin = await asyncio.start_server(stand_in.admin, "127.0.0.1", int(sys.argv[1]))
    print("ready", flush=True)
    await admin.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
