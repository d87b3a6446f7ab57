"""A worker: does the trials it is sent, one after another, and sends each result at once.

What comes: a Task, then lists of (Job, afresh), and sets of ids to leave out; or a tuple of Jobs to be emulated at
once. What goes: a Result for each trial, before it the names of its metrics when they are new (a result then has their
number), and True or False when the compiling of a user's own file begins or ends.
"""

from __future__ import annotations

import gc
import resource
import select
import signal
from collections import deque
from multiprocessing.connection import Connection
from pathlib import Path
from types import FrameType
from typing import Any

from netarium.operate.campaign.task import Task

GARBAGE_AFTER = 50_000
"""New objects before garbage is looked for: a trial makes some thousand, nearly all of which go by themselves."""


def serve(descriptor: int) -> None:
    """Work until the other end is closed."""
    signal.signal(signal.SIGTERM, _stop)
    gc.set_threshold(GARBAGE_AFTER)
    connection = Connection(descriptor)
    try:
        task, memory_bytes = connection.recv()
        _limit(memory_bytes)
        _work(connection, task)
    except (EOFError, OSError, KeyboardInterrupt):
        return


def _work(connection: Connection, task: Task) -> None:
    from netarium.operate.campaign.workshop import Workshop

    workshop = Workshop(task, connection.send)
    waiting: deque[Any] = deque()
    numbers: dict[tuple[str, ...], int] = {}
    arrived = poller(connection)
    while True:
        while not waiting or arrived.poll(0):
            message = connection.recv()
            if isinstance(message, tuple):
                for result in workshop.do_together(list(message)):
                    _send(connection, result, numbers)
            elif isinstance(message, (set, frozenset)):
                waiting = deque(entry for entry in waiting if entry[0].id not in message)
            else:
                waiting.extend(message)
        job, afresh = waiting.popleft()
        _send(connection, workshop.do(job, afresh), numbers)


def _send(connection: Connection, result: Any, numbers: dict[tuple[str, ...], int]) -> None:
    if result.columns not in numbers:
        numbers[result.columns] = len(numbers)
        connection.send(result.columns)
    connection.send(result.numbered(numbers[result.columns]))


def poller(*connections: Connection) -> select.poll:
    """Tells which connections have something to read; a tenth of the cost of asking them."""
    poll = select.poll()
    for connection in connections:
        poll.register(connection.fileno(), select.POLLIN)
    return poll


def _limit(memory_bytes: int) -> None:
    """No more than so much address space beyond what is mapped now: beyond it, allocating fails in this process."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + memory_bytes
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    if hard == resource.RLIM_INFINITY or limit < hard:
        resource.setrlimit(resource.RLIMIT_AS, (limit, hard))


def _stop(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
