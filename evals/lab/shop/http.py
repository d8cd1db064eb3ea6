"""HTTP/1.1 server and pooled client, small enough to see every byte that goes on the wire.

The lab's services need real sockets and full control over connections (which request
reuses one, when it closes), which is why this is asyncio streams and not a framework.
"""

import asyncio
import json
import socket
import struct
import time
from email.utils import formatdate

MAX_HEAD = 64 * 1024
IDLE_SECONDS = 75


class Request:
    def __init__(self, method, target, headers, body, peer):
        self.method = method
        self.path, _, query = target.partition("?")
        self.query = dict(p.partition("=")[::2] for p in query.split("&") if p)
        self.headers = headers
        self.body = body
        self.peer = peer
        self.params = {}

    def json(self):
        return json.loads(self.body) if self.body else {}


class Response:
    def __init__(self, status, body=None, headers=None, chunked=False):
        self.status = status
        self.body = body
        self.headers = headers or {}
        self.chunked = chunked
        self.cut = False  # the connection breaks in the middle of the body

    def json(self):
        return json.loads(self.body) if self.body else None


REASONS = {
    200: "OK", 201: "Created", 202: "Accepted", 204: "No Content", 304: "Not Modified",
    400: "Bad Request", 401: "Unauthorized", 402: "Payment Required", 403: "Forbidden", 404: "Not Found",
    409: "Conflict", 422: "Unprocessable Entity", 429: "Too Many Requests",
    500: "Internal Server Error", 502: "Bad Gateway", 503: "Service Unavailable", 504: "Gateway Timeout",
}


class CallFailed(Exception):
    """A call without an answer. `kind`: dns, refused, reset, timeout, closed."""

    def __init__(self, kind, text):
        super().__init__(text)
        self.kind = kind


async def read_head(reader):
    head = await reader.readuntil(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    headers = {}
    for line in lines[1:]:
        if line:
            name, _, value = line.partition(":")
            headers[name.strip().lower()] = value.strip()
    return lines[0], headers


async def read_body(reader, headers):
    if headers.get("transfer-encoding", "").lower() == "chunked":
        parts = []
        while True:
            size = int((await reader.readline()).split(b";")[0], 16)
            chunk = await reader.readexactly(size + 2)
            if size == 0:
                return b"".join(parts)
            parts.append(chunk[:-2])
    length = int(headers.get("content-length", "0"))
    return await reader.readexactly(length) if length else b""


def encode_body(body):
    if body is None:
        return b""
    return body if isinstance(body, bytes) else json.dumps(body, separators=(",", ":")).encode()


def reset(writer):
    """Ends a connection at once, with a reset on the wire rather than an orderly end."""
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def serve(handler, server_name, port):
    """Serves `handler(Request) -> Response | None` for ever; None drops the connection without an answer."""

    async def connection(reader, writer):
        writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            while True:
                line, headers = await asyncio.wait_for(read_head(reader), IDLE_SECONDS)
                method, target, version = line.split(" ", 2)
                body = await read_body(reader, headers)
                peer = writer.get_extra_info("peername")[0]
                response = await handler(Request(method, target, headers, body, peer))
                if response is None:
                    reset(writer)
                    return
                keep = headers.get("connection", "").lower() != "close" and version == "HTTP/1.1"
                payload = encode_body(response.body)
                out = [f"HTTP/1.1 {response.status} {REASONS.get(response.status, 'Unknown')}", f"Server: {server_name}",
                       f"Date: {formatdate(usegmt=True)}"]
                if payload or response.status != 204:
                    kind = "text/plain; charset=utf-8" if isinstance(response.body, bytes) else "application/json"
                    out.append(f"Content-Type: {response.headers.pop('Content-Type', kind)}")
                out += [f"{k}: {v}" for k, v in response.headers.items()]
                if response.chunked:
                    out.append("Transfer-Encoding: chunked")
                elif response.status != 204:
                    out.append(f"Content-Length: {len(payload)}")
                if not keep:
                    out.append("Connection: close")
                head = ("\r\n".join(out) + "\r\n\r\n").encode()
                if response.cut:
                    writer.write(head + payload[:len(payload) // 2])
                    await asyncio.sleep(0.02)
                    reset(writer)
                    return
                if response.chunked:
                    half = max(1, len(payload) // 2)
                    for part in (payload[:half], payload[half:]):
                        if part:
                            writer.write(head + b"%x\r\n%s\r\n" % (len(part), part))
                            head = b""
                            await writer.drain()
                    writer.write(head + b"0\r\n\r\n")
                else:
                    writer.write(head + payload)
                await writer.drain()
                if not keep:
                    break
        except (asyncio.IncompleteReadError, asyncio.TimeoutError, ConnectionError, ValueError, asyncio.LimitOverrunError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(connection, "0.0.0.0", port, limit=MAX_HEAD, backlog=128)
    async with server:
        await server.serve_forever()


async def open_connection(host, port, family=socket.AF_UNSPEC, local=None):
    """Resolves by real DNS queries (each time: the C library has no cache) and connects to the first IPv4 address."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, family=family, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        raise CallFailed("dns", f"lookup {host}: {error.strerror}") from error
    address = next((a[4] for a in found if a[0] == socket.AF_INET), None)
    if address is None:
        raise CallFailed("dns", f"lookup {host}: no address")
    try:
        reader, writer = await asyncio.open_connection(*address, limit=1 << 20, local_addr=local)
    except ConnectionRefusedError as error:
        raise CallFailed("refused", f"dial tcp {host}:{port}: connect: connection refused") from error
    except OSError as error:
        raise CallFailed("timeout", f"dial tcp {host}:{port}: {error}") from error
    writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return reader, writer


class Client:
    """A client of one host with a pool of kept connections."""

    def __init__(self, host, port, user_agent, timeout=3.0, max_age=45.0, keep=True, family=socket.AF_UNSPEC, local=None,
                 host_header=None, max_idle=4, spread=2):
        self.host, self.port, self.user_agent = host, port, user_agent
        self.timeout, self.max_age, self.keep, self.family, self.local = timeout, max_age, keep, family, local
        self.host_header = host_header or (host if port == 80 else f"{host}:{port}")
        # Below `spread` connections a new one is opened, so that calls reach more than one replica.
        self.max_idle, self.spread, self.busy = max_idle, spread, 0
        self.idle = []
        self.reaper = None

    async def _reap(self):
        """Closes kept connections that the server closed or that are too old, as clients do; half-closed ones would
        outlive the translation of their address and send to nowhere."""
        while self.idle:
            await asyncio.sleep(5)
            kept = []
            for reader, writer, born in self.idle:
                if reader.at_eof() or writer.is_closing() or time.monotonic() - born > self.max_age:
                    writer.close()
                else:
                    kept.append((reader, writer, born))
            self.idle = kept

    async def call(self, method, target, body=None, headers=None, timeout=None):
        limit = self.timeout if timeout is None else timeout
        try:
            return await asyncio.wait_for(self._call(method, target, body, headers or {}), limit)
        except asyncio.TimeoutError as error:
            raise CallFailed("timeout", f"{method} {self.host}:{self.port}{target}: deadline of {limit:g}s exceeded") from error

    async def _call(self, method, target, body, headers):
        payload = encode_body(body)
        lines = [f"{method} {target} HTTP/1.1", f"Host: {self.host_header}", f"User-Agent: {self.user_agent}"]
        lines += [f"{k}: {v}" for k, v in headers.items() if v is not None]
        if payload:
            lines += ["Content-Type: application/json", f"Content-Length: {len(payload)}"]
        elif method in ("POST", "PUT"):
            lines.append("Content-Length: 0")
        if not self.keep:
            lines.append("Connection: close")
        wire = ("\r\n".join(lines) + "\r\n\r\n").encode() + payload
        while True:
            reader, writer, born, reused = await self._connection()
            self.busy += 1
            done = False
            try:
                writer.write(wire)
                await writer.drain()
                status, answer = await read_head(reader)
                content = await read_body(reader, answer) if method != "HEAD" else b""
                done = True
            except (asyncio.IncompleteReadError, ConnectionError) as error:
                if reused and isinstance(error, (asyncio.IncompleteReadError, BrokenPipeError)):
                    # The server closed a kept connection before it saw this request: a fresh one is the usual remedy.
                    continue
                kind = "reset" if isinstance(error, ConnectionResetError) else "closed"
                raise CallFailed(kind, f"{method} {self.host}:{self.port}{target}: connection {kind} by peer") from error
            finally:
                self.busy -= 1
                if not done:
                    writer.close()
            if self.keep and answer.get("connection", "").lower() != "close" and len(self.idle) < self.max_idle:
                self.idle.append((reader, writer, born))
                if self.reaper is None or self.reaper.done():
                    self.reaper = asyncio.create_task(self._reap())
            else:
                writer.close()
            return Response(int(status.split(" ")[1]), content, answer)

    async def _connection(self):
        now = time.monotonic()
        while self.idle and len(self.idle) + self.busy >= self.spread:
            reader, writer, born = self.idle.pop(0)
            if now - born > self.max_age or reader.at_eof() or writer.is_closing():
                writer.close()
                continue
            return reader, writer, born, True
        reader, writer = await open_connection(self.host, self.port, self.family, self.local)
        return reader, writer, now, False

    def close(self):
        if self.reaper is not None:
            self.reaper.cancel()
        for _, writer, _ in self.idle:
            writer.close()
        self.idle.clear()
