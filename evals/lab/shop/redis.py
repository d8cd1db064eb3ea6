"""A Redis client: one kept connection, RESP2, commands in order."""

import asyncio

from .http import CallFailed, open_connection


class Redis:
    def __init__(self, host, port):
        self.host, self.port = host, port
        self.reader = self.writer = None
        self.lock = asyncio.Lock()

    async def command(self, *parts):
        async with self.lock:
            for attempt in (1, 2):
                if self.writer is None or self.reader.at_eof() or self.writer.is_closing():
                    self.reader, self.writer = await open_connection(self.host, self.port)
                try:
                    encoded = [str(p).encode() for p in parts]
                    self.writer.write(b"*%d\r\n" % len(encoded) + b"".join(b"$%d\r\n%s\r\n" % (len(p), p) for p in encoded))
                    return await self._reply()
                except (asyncio.IncompleteReadError, ConnectionError) as error:
                    self.drop()
                    if attempt == 2:
                        raise CallFailed("reset", f"redis {self.host}:{self.port}: connection lost") from error
                except asyncio.CancelledError:
                    self.drop()  # an answer still under way would be taken for the next command's
                    raise

    def drop(self):
        if self.writer is not None:
            self.writer.close()
        self.reader = self.writer = None

    async def _reply(self):
        line = (await self.reader.readuntil(b"\r\n"))[:-2]
        kind, rest = line[:1], line[1:]
        if kind == b"-":
            raise RuntimeError(rest.decode())
        if kind == b":":
            return int(rest)
        if kind == b"+":
            return rest.decode()
        size = int(rest)
        if kind == b"$":
            return None if size < 0 else (await self.reader.readexactly(size + 2))[:-2].decode()
        return [await self._reply() for _ in range(max(size, 0))]
