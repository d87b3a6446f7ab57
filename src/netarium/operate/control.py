"""The socket of a network that is up: other commands ask it what runs, enter its nodes, and take it down.

One JSON document each way, then, for `enter`, two descriptors (the node's network namespace, the user namespace it belongs to)
and a connection that stays: whoever entered has to leave when it ends, and is listed as long as it is open.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

from netarium.errors import MachineCannot, NetariumError, did_you_mean, one_of
from netarium.run.emulate.facility import Facility
from netarium.run.emulate.ownership import Ownership

ANSWER_LIMIT_S = 10.0
REQUEST_BYTES_MAX = 65536


class Control:
    """Answers for a facility, from threads of its own, within a `with` block. on_down: called when someone wants it down."""

    def __init__(self, facility: Facility, on_down: Callable[[], None]) -> None:
        self._facility, self._on_down = facility, on_down
        self._inside: dict[socket.socket, dict[str, Any]] = {}
        self._lock = threading.Lock()

    def __enter__(self) -> Control:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        with _near(self._facility.ownership) as path:
            self._socket.bind(path)
        self._socket.listen(64)
        self._thread = threading.Thread(target=self._accept, name="control", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join()
        with self._lock:
            for connection in self._inside:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), name="control", daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            connection.settimeout(ANSWER_LIMIT_S)
            request = json.loads(_line(connection))
            try:
                answer = self._answer(request)
            except NetariumError as error:
                _send(connection, {"error": str(error)})
                return
            if request["verb"] != "enter":
                _send(connection, answer)
                return
            self._let_in(connection, request, answer)

    def _answer(self, request: dict[str, Any]) -> dict[str, Any]:
        if request["verb"] == "ps":
            return self.listing()
        if request["verb"] == "down":
            self._on_down()
            return {"stopping": True}
        if request["verb"] == "enter":
            return self._entry(request["node"], request["argv"])
        raise MachineCannot(f"found {request['verb']!r}, expected ps, enter or down")

    def listing(self) -> dict[str, Any]:
        """Nodes with addresses and what runs there."""
        facility = self._facility
        pids = facility.supervisor.pids()
        programs = [
            {**one.document(), "pid": pids.get(name), "argv": list(one.program.argv)}
            for name, one in facility.supervisor.outcomes.items()
        ]
        with self._lock:
            shells = [{**about, "status": "running"} for about in self._inside.values()]
        nodes = [
            {
                "node": host.node,
                "why": host.why,
                "addresses": [text for one in host.interfaces for text in one.addresses],
                "way_out": host.way_out.kind if host.way_out is not None else None,
            }
            for host in facility.hosts.emulation.hosts
        ]
        return {"nodes": nodes, "programs": programs, "entered": shells}

    def _entry(self, node: str, argv: list[str]) -> dict[str, Any]:
        emulation = self._facility.hosts.emulation
        hosts = {host.node: host for host in emulation.hosts}
        if node not in hosts:
            hint = did_you_mean(node, hosts)
            raise MachineCannot(
                f"found node {node!r}, expected a real host: {one_of(hosts)}{'; ' + hint if hint else ''}"
            )
        box = self._facility.sandbox
        return {"argv": box.argv(hosts[node], argv), "environment": box.environment(hosts[node])}

    def _let_in(self, connection: socket.socket, request: dict[str, Any], answer: dict[str, Any]) -> None:
        about = {
            "node": request["node"],
            "argv": request["argv"],
            "pid": request["pid"],
            "since": time.time(),
        }
        user = os.open("/proc/self/ns/user", os.O_RDONLY | os.O_CLOEXEC)
        try:
            _send(connection, answer)
            socket.send_fds(connection, [b"\n"], [self._facility.hosts.netns_fds[request["node"]], user])
        finally:
            os.close(user)
        with self._lock:
            self._inside[connection] = about
        connection.settimeout(None)
        try:
            connection.recv(1)  # nothing is sent; it returns when either side is through
        finally:
            with self._lock:
                del self._inside[connection]


def ask(run: Ownership, **request: Any) -> dict[str, Any]:
    """The answer of a network that is up. Raises MachineCannot when it does not answer, or refuses."""
    with connect(run) as connection:
        _send(connection, request)
        return answer_of(connection)


def connect(run: Ownership) -> socket.socket:
    """A connection to a network that is up. Raises MachineCannot."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(ANSWER_LIMIT_S)
    try:
        with _near(run) as path:
            connection.connect(path)
    except OSError as error:
        connection.close()
        name = run.facts.get("network", run.token)
        raise MachineCannot(f"{name} (process {run.owner.pid}) does not answer: {error.strerror}") from None
    return connection


def send_request(connection: socket.socket, **request: Any) -> None:
    """Send one request."""
    _send(connection, request)


def answer_of(connection: socket.socket) -> dict[str, Any]:
    """The answer to a request. Raises MachineCannot with what was refused."""
    try:
        answer: dict[str, Any] = json.loads(_line(connection) or "{}")
    except TimeoutError:
        raise MachineCannot(f"no answer within {ANSWER_LIMIT_S:g} s") from None
    except (OSError, ValueError):
        raise MachineCannot("the network went down while it was asked") from None
    if "error" in answer:
        raise MachineCannot(answer["error"])
    return answer


def _send(connection: socket.socket, document: dict[str, Any]) -> None:
    connection.sendall(json.dumps(document).encode() + b"\n")


def _line(connection: socket.socket) -> str:
    """Up to the first line end, byte by byte at the end: what follows may carry descriptors."""
    text = bytearray()
    while not text.endswith(b"\n"):
        waiting = connection.recv(REQUEST_BYTES_MAX, socket.MSG_PEEK)
        if not waiting:
            break
        end = waiting.find(b"\n") + 1 or len(waiting)
        text += connection.recv(end)
    return text.decode()


@contextlib.contextmanager
def _near(run: Ownership) -> Any:
    """A short path of the control socket: sun_path has 108 bytes (unix(7)), and folders may lie deep."""
    folder = os.open(run.folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{run.control.name}"
    finally:
        os.close(folder)
