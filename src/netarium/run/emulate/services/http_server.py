"""An HTTP server whose path is the number of bytes to send: GET /20000. Run as: http_server.py PORT CONGESTION.

HTTP/1.1 (RFC 9112) with Connection: close: each transfer has a connection of its own, as flows have in the engine. Knows
nothing of netarium, and needs only the standard library.
"""

from __future__ import annotations

import asyncio
import socket
import sys

CHUNK = bytes(65536)
HEAD_BYTES_MAX = 65536
BACKLOG = 4096
BODY_BYTES_MAX = 1 << 50


def listening(port: int, congestion: str) -> socket.socket:
    """A socket that listens on all addresses, IPv6 and IPv4, with a congestion control of the kernel."""
    family = socket.AF_INET6 if socket.has_dualstack_ipv6() else socket.AF_INET
    server = socket.create_server(
        ("", port), family=family, backlog=BACKLOG, dualstack_ipv6=family == socket.AF_INET6
    )
    if congestion:
        server.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, congestion.encode())
    return server


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One request, one response, then the end of the connection."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        wanted = body_bytes(head)
        if wanted is None:
            writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        else:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % wanted)
            while wanted > 0:
                writer.write(CHUNK if wanted >= len(CHUNK) else CHUNK[:wanted])
                wanted -= len(CHUNK)
                await writer.drain()
        await writer.drain()
    except (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        pass  # the client went away, or is none; it says so itself
    finally:
        writer.close()


def body_bytes(head: bytes) -> int | None:
    """The number in the request line `GET /NUMBER HTTP/1.1`; None when it is another."""
    words = head.split(b"\r\n", 1)[0].split(b" ")
    if len(words) != 3 or words[0] != b"GET" or not words[1][1:].isdigit():
        return None
    wanted = int(words[1][1:])
    return wanted if wanted <= BODY_BYTES_MAX else None


async def serve(port: int, congestion: str) -> None:
    server = await asyncio.start_server(answer, sock=listening(port, congestion), limit=HEAD_BYTES_MAX)
    async with server:
        await server.serve_forever()


def main() -> None:
    port, congestion = int(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else ""
    try:
        asyncio.run(serve(port, congestion))
    except KeyboardInterrupt:
        return


if __name__ == "__main__":
    main()
