"""Streams whose every byte and every ending is checked at both ends.

A backend and a client that know each other's bytes: a stream's number is the seed of what flows in
either direction, so each end compares what it receives with what it must be. The client's first
line tells the backend the stream's plan. As a program:

    checked_streams.py backend ADDRESS PORT          prints "ready"; SIGTERM: prints its verdict
    checked_streams.py clients ADDRESS PORT …        dials and prints its verdict

The verdict is one line of JSON; the exit code is 1 when a stream was not as planned.
"""

import argparse
import asyncio
import contextlib
import dataclasses
import json
import random
import resource
import signal
import socket
import struct
import sys
import time

CHUNK_BYTES = 16384
FAILURES_SHOWN = 10
CLOSE_SECONDS_MAX = 5
RESET_SECONDS = 3
ENDINGS = ("client_first", "backend_first", "both", "client_reset", "backend_reset")
RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class Wrong(Exception):
    """What an end saw is not what was planned."""


@dataclasses.dataclass(frozen=True)
class Plan:
    """client_first: the backend answers after the client's end; backend_first: the other way round;
    both: both at once; …_reset: that end resets once the other has said that it has all bytes."""
    number: int
    up_bytes: int
    down_bytes: int
    ending: str

    def line(self):
        return f"{self.number} {self.up_bytes} {self.down_bytes} {self.ending}\n".encode()

    @staticmethod
    def parse(line):
        words = line.decode().split()
        if len(words) != 4 or words[3] not in ENDINGS:
            raise Wrong(f"the plan arrived as {line!r}")
        return Plan(int(words[0]), int(words[1]), int(words[2]), words[3])


class Content:
    """The endless bytes of one direction of a stream."""

    def __init__(self, number, direction):
        self.random_ = random.Random(f"{number} {direction}")
        self.rest_ = b""

    def take(self, count):
        parts = [self.rest_]
        have = len(self.rest_)
        while have < count:
            parts.append(self.random_.randbytes(CHUNK_BYTES))
            have += CHUNK_BYTES
        whole = b"".join(parts)
        self.rest_ = whole[count:]
        return whole[:count]


class End:
    """One end of a stream: sends its own content and checks the other's."""

    def __init__(self, reader, writer):
        self.reader = reader
        self.writer = writer

    async def send(self, content, count):
        while count > 0:
            size = min(count, CHUNK_BYTES)
            self.writer.write(content.take(size))
            await self.writer.drain()
            count -= size

    async def receive(self, content, count):
        got = 0
        while got < count:
            part = await self.reader.read(min(CHUNK_BYTES, count - got))
            if not part:
                raise Wrong(f"the end after {got} of {count} bytes")
            if part != content.take(len(part)):
                raise Wrong(f"a wrong byte in {got}…{got + len(part)} of {count}")
            got += len(part)

    async def receive_end(self):
        if rest := await self.reader.read(1):
            raise Wrong(f"{rest!r} after the last byte")

    async def receive_reset(self):
        """A reset that was lost on the way is not repeated until something is sent, so after some
        time a byte is sent."""
        while True:
            try:
                async with asyncio.timeout(RESET_SECONDS):
                    rest = await self.reader.read(1)
                break
            except TimeoutError:
                self.writer.write(b"?")
            except ConnectionResetError:
                return
        raise Wrong("a clean end where a reset was due" if not rest else "bytes after the last one")

    def end(self):
        self.writer.write_eof()

    def reset(self):
        self.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                                        RESET_ON_CLOSE)
        self.writer.transport.abort()

    async def close(self):
        self.writer.close()
        try:
            async with asyncio.timeout(CLOSE_SECONDS_MAX):
                await self.writer.wait_closed()
        except (OSError, TimeoutError):
            self.writer.transport.abort()


async def follow(end, plan, role):
    """Plays the client's or the backend's part of a plan. Raises Wrong or OSError."""
    names = {"client": ("up", "down"), "backend": ("down", "up")}[role]
    ours, theirs = (Content(plan.number, name) for name in names)
    sizes = {"up": plan.up_bytes, "down": plan.down_bytes}
    send = (ours, sizes[names[0]])
    receive = (theirs, sizes[names[1]])
    first, _, how = plan.ending.partition("_")
    if how == "reset":
        await both(end.send(*send), end.receive(*receive))
        if first == role:
            await end.receive(*(Content(plan.number, "all received"), 1))
            end.reset()
        else:
            await end.send(Content(plan.number, "all received"), 1)
            await end.receive_reset()
    elif first == "both":
        await both(send_and_end(end, send), receive_and_end(end, receive))
    elif first == role:
        await send_and_end(end, send)
        await receive_and_end(end, receive)
    else:
        await receive_and_end(end, receive)
        await send_and_end(end, send)


async def send_and_end(end, send):
    await end.send(*send)
    end.end()


async def receive_and_end(end, receive):
    await end.receive(*receive)
    await end.receive_end()


async def both(left, right):
    tasks = [asyncio.ensure_future(left), asyncio.ensure_future(right)]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()


class Tally:
    """How many streams went as planned, and what was wrong with the others."""

    def __init__(self):
        self.began = time.monotonic()
        self.good = 0
        self.bytes = 0
        self.failures = []

    def add_good(self, plan):
        self.good += 1
        self.bytes += plan.up_bytes + plan.down_bytes

    def add_failure(self, plan, wrong):
        self.failures.append(f"{plan}: {type(wrong).__name__} {wrong}")

    def verdict(self):
        return {"good": self.good, "failed": len(self.failures), "bytes": self.bytes,
                "seconds": round(time.monotonic() - self.began, 3),
                "failures": self.failures[:FAILURES_SHOWN]}


class Backend:
    """Accepts checked streams. `proxy_header` reads and checks what stands before the plan, as
    `async (reader) -> None`."""

    def __init__(self, proxy_header=None, quiet_seconds=60):
        self.tally = Tally()
        self.live = 0
        self.proxy_header_ = proxy_header
        self.quiet_seconds_ = quiet_seconds
        self.server_ = None

    async def start(self, address, port):
        self.server_ = await asyncio.start_server(self.serve, address, port, backlog=4096,
                                                  limit=CHUNK_BYTES)

    async def stop(self, seconds=10):
        """Accepts no more and lets what is live come to its end."""
        self.server_.close()
        deadline = time.monotonic() + seconds
        while self.live and time.monotonic() < deadline:
            await asyncio.sleep(0.01)

    async def serve(self, reader, writer):
        end = End(reader, writer)
        plan = None
        self.live += 1
        try:
            async with asyncio.timeout(self.quiet_seconds_):
                if self.proxy_header_:
                    await self.proxy_header_(reader)
                line = await reader.readline()
                if not line:
                    return  # a health check
                plan = Plan.parse(line)
                await follow(end, plan, "backend")
            self.tally.add_good(plan)
        except (Wrong, OSError, TimeoutError) as wrong:
            if plan or isinstance(wrong, Wrong):
                self.tally.add_failure(plan, wrong)
        finally:
            self.live -= 1
            with contextlib.suppress(asyncio.CancelledError):  # asyncio before 3.12 reports it
                await end.close()


class AllOpen:
    """Where clients wait until all of them are connected; then `look()` runs in a thread, and what
    it raises is everybody's failure."""

    def __init__(self, count, look):
        self.left_ = count
        self.look_ = look
        self.looked_ = asyncio.get_running_loop().create_future()

    async def wait(self):
        self.left_ -= 1
        if self.left_ == 0:
            try:
                self.looked_.set_result(await asyncio.to_thread(self.look_))
            except Exception as wrong:
                self.looked_.set_exception(Wrong(wrong))
        await asyncio.shield(self.looked_)


async def run_client(address, port, plan, tally, seconds=60, all_open=None):
    """Dials one checked stream and adds its outcome to the tally."""
    end = None
    try:
        async with asyncio.timeout(seconds):
            reader, writer = await asyncio.open_connection(address, port, limit=CHUNK_BYTES)
            end = End(reader, writer)
            writer.write(plan.line())
            if all_open:
                await all_open.wait()
            await follow(end, plan, "client")
        tally.add_good(plan)
    except (Wrong, OSError, TimeoutError) as wrong:
        tally.add_failure(plan, wrong)
    finally:
        if end:
            await end.close()


def plans(count, up_bytes, down_bytes, endings=ENDINGS, first=0):
    """`count` plans that take turns through the endings; sizes vary around the given ones."""
    for number in range(first, first + count):
        sizes = random.Random(f"{number} sizes")
        yield Plan(number, sizes.randint(up_bytes // 2, up_bytes * 3 // 2),
                   sizes.randint(down_bytes // 2, down_bytes * 3 // 2),
                   endings[number % len(endings)])


async def run_clients(address, port, wanted, at_once=1000, seconds=60, look=None):
    """Dials all plans, at most `at_once` at a time. Returns the Tally. With `look` no stream goes on
    before all are open and that function has been called."""
    tally = Tally()
    turns = asyncio.Semaphore(at_once)
    all_open = AllOpen(len(wanted), look) if look else None

    async def one(plan):
        async with turns:
            await run_client(address, port, plan, tally, seconds, all_open)

    await asyncio.gather(*(one(plan) for plan in wanted))
    return tally


def raise_descriptor_limit():
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


async def serve_until_told(address, port, quiet_seconds):
    backend = Backend(quiet_seconds=quiet_seconds)
    await backend.start(address, port)
    print("ready", flush=True)
    told = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, told.set)
    await told.wait()
    await backend.stop()
    return backend.tally


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("role", choices=("backend", "clients"))
    parser.add_argument("address")
    parser.add_argument("port", type=int)
    parser.add_argument("--streams", type=int, default=10)
    parser.add_argument("--at-once", type=int, default=1000)
    parser.add_argument("--up", type=int, default=100_000, help="bytes from the client")
    parser.add_argument("--down", type=int, default=100_000, help="bytes from the backend")
    parser.add_argument("--endings", default=",".join(ENDINGS))
    parser.add_argument("--first", type=int, default=0, help="number of the first stream")
    parser.add_argument("--seconds", type=int, default=60, help="how long one stream may take")
    options = parser.parse_args()
    raise_descriptor_limit()
    if options.role == "backend":
        tally = asyncio.run(serve_until_told(options.address, options.port, options.seconds))
    else:
        wanted = plans(options.streams, options.up, options.down, options.endings.split(","),
                       options.first)
        tally = asyncio.run(run_clients(options.address, options.port, list(wanted),
                                        options.at_once, options.seconds))
    print(json.dumps(tally.verdict()), flush=True)
    sys.exit(1 if tally.failures else 0)


if __name__ == "__main__":
    main()
