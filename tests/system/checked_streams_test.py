"""Checked streams themselves: they must pass over a faithful relay and fail over each bad one."""

import asyncio
import contextlib
import socket

import checked_streams
import harness
from checked_streams import RESET_ON_CLOSE, Backend, plans, run_clients


class Relay:
    """Forwards streams; `spoil(bytes, position)` may change what goes to the client. `keep` says
    which endings are carried on as they are: half-closes, resets."""

    def __init__(self, backend_port, spoil=None, keep=("half_close", "reset")):
        self.backend_port = backend_port
        self.spoil = spoil or (lambda part, position: part)
        self.keep = keep
        self.port = harness.free_port()

    async def serve(self, reader, writer):
        with contextlib.suppress(asyncio.CancelledError):  # asyncio before 3.12 reports it
            await self.forward(reader, writer)

    async def forward(self, reader, writer):
        backend_reader, backend_writer = await asyncio.open_connection("127.0.0.1",
                                                                       self.backend_port)
        up = self.pump(reader, backend_writer, lambda part, position: part)
        down = self.pump(backend_reader, writer, self.spoil)
        await asyncio.gather(up, down)
        for end in (writer, backend_writer):
            end.close()

    async def pump(self, reader, writer, spoil):
        position = 0
        try:
            while part := await reader.read(65536):
                writer.write(spoil(part, position))
                position += len(part)
                await writer.drain()
        except OSError:
            if "reset" in self.keep:
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                                           RESET_ON_CLOSE)
                writer.transport.abort()
            writer.close()
            return
        if "half_close" in self.keep:
            if writer.can_write_eof() and not writer.is_closing():
                writer.write_eof()
        else:
            writer.close()


def run_over(relay_options, endings=checked_streams.ENDINGS, streams=20):
    async def run():
        backend = Backend(quiet_seconds=2)
        port = harness.free_port()
        await backend.start("127.0.0.1", port)
        relay = Relay(port, **relay_options)
        server = await asyncio.start_server(relay.serve, "127.0.0.1", relay.port)
        wanted = plans(streams, 30_000, 50_000, endings)
        clients = await run_clients("127.0.0.1", relay.port, wanted, seconds=2)
        server.close()
        await backend.stop()
        return clients, backend.tally
    return asyncio.run(run())


def check_a_faithful_relay_passes(_stage):
    for tally in run_over({}, streams=100):
        harness.expect(tally.good == 100 and not tally.failures, tally.verdict())


def check_a_changed_byte_is_seen(_stage):
    def flip(part, position):
        return part[:-1] + bytes([part[-1] ^ 1]) if position == 0 else part
    clients, _ = run_over({"spoil": flip})
    harness.expect(clients.good == 0, clients.verdict())


def check_lost_and_repeated_bytes_are_seen(_stage):
    def drop(part, position):
        return part[1:] if position == 0 else part

    def repeat(part, position):
        return part[:5] + part if position == 0 else part
    for spoil in (drop, repeat):
        clients, _ = run_over({"spoil": spoil})
        harness.expect(clients.good == 0, clients.verdict())


def check_a_lost_half_close_is_seen(_stage):
    clients, backend = run_over({"keep": ("reset",)}, ("client_first", "backend_first"))
    harness.expect(clients.good + backend.good < 40, (clients.verdict(), backend.verdict()))
    harness.expect(clients.failures or backend.failures, "no failure was reported")


def check_a_reset_that_became_a_clean_end_is_seen(_stage):
    clients, backend = run_over({"keep": ("half_close",)}, ("client_reset", "backend_reset"))
    harness.expect(len(backend.failures) == 10, backend.verdict())
    harness.expect(len(clients.failures) == 10, clients.verdict())


if __name__ == "__main__":
    harness.main(globals())
