"""A PostgreSQL client: protocol 3.0 over TCP, extended queries with text parameters, trust authentication.

Enough for the shop, and it talks to the real server, so the packets are those of a real client.
"""

import asyncio
import struct
import time

from .http import CallFailed, open_connection


class PgError(Exception):
    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


class Connection:
    def __init__(self, reader, writer):
        self.reader, self.writer, self.born, self.broken = reader, writer, time.monotonic(), False

    @classmethod
    async def open(cls, host, port, user, database, application):
        try:
            reader, writer = await open_connection(host, port)
        except CallFailed as error:
            reason = {"refused": "Connection refused", "dns": "could not translate host name"}.get(error.kind, str(error))
            raise PgError("08001", f"could not connect to server: {reason} ({host}:{port})") from error
        self = cls(reader, writer)
        params = "".join(f"{k}\0{v}\0" for k, v in
                         (("user", user), ("database", database), ("application_name", application), ("client_encoding", "UTF8")))
        body = struct.pack("!I", 196608) + params.encode() + b"\0"
        writer.write(struct.pack("!I", len(body) + 4) + body)
        await self._until_ready()
        return self

    def usable(self, max_age):
        return not (self.broken or self.reader.at_eof() or self.writer.is_closing() or time.monotonic() - self.born > max_age)

    async def query(self, sql, *params):
        """Runs one statement; gives the rows as tuples of str or None."""
        def message(kind, body):
            return kind + struct.pack("!I", len(body) + 4) + body

        values = b"".join(struct.pack("!i", -1) if p is None else struct.pack("!i", len(str(p).encode())) + str(p).encode()
                          for p in params)
        self.writer.write(
            message(b"P", b"\0" + sql.encode() + b"\0" + struct.pack("!H", 0))
            + message(b"B", b"\0\0" + struct.pack("!HH", 0, len(params)) + values + struct.pack("!H", 0))
            + message(b"D", b"P\0") + message(b"E", b"\0" + struct.pack("!I", 0)) + message(b"S", b""))
        return await self._until_ready()

    async def _until_ready(self):
        rows, failure = [], None
        try:
            while True:
                head = await self.reader.readexactly(5)
                body = await self.reader.readexactly(struct.unpack("!I", head[1:])[0] - 4)
                kind = head[:1]
                if kind == b"D":
                    count, at, row = struct.unpack("!H", body[:2])[0], 2, []
                    for _ in range(count):
                        size = struct.unpack("!i", body[at:at + 4])[0]
                        at += 4
                        row.append(None if size < 0 else body[at:at + size].decode())
                        at += max(size, 0)
                    rows.append(tuple(row))
                elif kind == b"E":
                    fields = {f[:1].decode(): f[1:].decode() for f in body.split(b"\0") if f}
                    failure = PgError(fields.get("C", ""), fields.get("M", ""))
                elif kind == b"Z":
                    break
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            self.close()
            raise failure or PgError("08006", "server closed the connection unexpectedly") from error
        except asyncio.CancelledError:
            self.close()
            raise
        if failure:
            raise failure
        return rows

    def close(self):
        self.broken = True
        self.writer.close()


class Pool:
    def __init__(self, host, port, user, database, application, size=3, max_age=90.0):
        self.target = (host, port, user, database, application)
        self.max_age = max_age
        self.slots = asyncio.Semaphore(size)
        self.idle = []

    async def transaction(self, work):
        """Runs `await work(query)` between BEGIN and COMMIT on a pooled connection."""
        async with self.slots:
            connection = await self._take()
            try:
                await connection.query("BEGIN")
                result = await work(connection.query)
                await connection.query("COMMIT")
                return result
            except PgError:
                if not connection.broken:
                    await connection.query("ROLLBACK")
                raise
            finally:
                if not connection.broken:
                    self.idle.append(connection)

    async def query(self, sql, *params):
        async with self.slots:
            connection = await self._take()
            try:
                return await connection.query(sql, *params)
            finally:
                if not connection.broken:
                    self.idle.append(connection)

    async def _take(self):
        while self.idle:
            connection = self.idle.pop()
            if connection.usable(self.max_age):
                return connection
            connection.close()
        return await Connection.open(*self.target)
