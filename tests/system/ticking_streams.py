"""Streams that live long and say little: a number every so often, and the same number back.

    ticking_streams.py echo ADDRESS PORT          prints "ready"; answers everything
    ticking_streams.py clients ADDRESS PORT …     prints "up", then a verdict in JSON

A client is lost when an answer is missing, repeated or altered, or when its stream ended before
its time. `pause` is the longest time that one waited for an answer.
"""

import argparse
import asyncio
import json
import resource
import sys
import time

NUMBER_BYTES = 8


async def echo(reader, writer):
    try:
        while part := await reader.read(65536):
            writer.write(part)
            await writer.drain()
        writer.write_eof()
    except OSError:
        pass
    finally:
        writer.close()


async def serve(address, port):
    server = await asyncio.start_server(echo, address, port, backlog=4096)
    print("ready", flush=True)
    await server.serve_forever()


class Client:
    """One stream; `lost` says what was wrong with it, `pause` how long it waited at most."""

    def __init__(self):
        self.lost = None
        self.pause = 0.0
        self.ticks = 0
        self.connected = asyncio.Event()

    async def run(self, address, port, seconds, interval):
        try:
            reader, writer = await asyncio.open_connection(address, port)
            await self.tick(reader, writer)
            self.connected.set()
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                await asyncio.sleep(interval)
                await self.tick(reader, writer)
            writer.write_eof()
            if await reader.read(1):
                self.lost = "bytes after the last answer"
            writer.close()
        except (OSError, EOFError) as wrong:
            self.lost = f"{type(wrong).__name__} {wrong}"
        finally:
            self.connected.set()

    async def tick(self, reader, writer):
        number = self.ticks.to_bytes(NUMBER_BYTES, "big")
        began = time.monotonic()
        writer.write(number)
        answer = await reader.readexactly(NUMBER_BYTES)
        self.pause = max(self.pause, time.monotonic() - began)
        if answer != number:
            raise OSError(f"{answer!r} came back for {number!r}")
        self.ticks += 1


async def run_clients(options):
    clients = [Client() for _ in range(options.streams)]
    tasks = [asyncio.ensure_future(client.run(options.address, options.port, options.seconds,
                                              options.interval)) for client in clients]
    for client in clients:
        await client.connected.wait()
    print("up", flush=True)
    await asyncio.gather(*tasks)
    lost = [client.lost for client in clients if client.lost]
    return {"streams": len(clients), "lost": len(lost), "why": sorted(set(lost))[:5],
            "ticks": sum(client.ticks for client in clients),
            "pause": round(max(client.pause for client in clients), 3)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("role", choices=("echo", "clients"))
    parser.add_argument("address")
    parser.add_argument("port", type=int)
    parser.add_argument("--streams", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--interval", type=float, default=0.05)
    options = parser.parse_args()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if options.role == "echo":
        asyncio.run(serve(options.address, options.port))
        return
    verdict = asyncio.run(run_clients(options))
    print(json.dumps(verdict), flush=True)
    sys.exit(1 if verdict["lost"] else 0)


if __name__ == "__main__":
    main()
