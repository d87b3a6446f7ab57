"""Ctrl-C and SIGTERM while a trial runs: the first asks it to stop cleanly, the second stops at once."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class StopRequest:
    """Whether someone asked the run to stop; calling it answers."""

    def __init__(self) -> None:
        self.signal: signal.Signals | None = None

    def request(self) -> None:
        """Ask for the run to stop, as SIGTERM does."""
        self.signal = self.signal or signal.SIGTERM

    def __call__(self) -> bool:
        return self.signal is not None


@contextmanager
def stop_on_signals(announce: Callable[[], None]) -> Iterator[StopRequest]:
    """Within the block signals set the request, once announced; a second one raises KeyboardInterrupt.

    Outside the main thread, where Python allows no handlers, nothing is changed and nothing requested.
    """
    request = StopRequest()
    if threading.current_thread() is not threading.main_thread():
        yield request
        return

    def handle(number: int, _frame: FrameType | None) -> None:
        if request.signal is not None:
            raise KeyboardInterrupt
        request.signal = signal.Signals(number)
        announce()

    before = {number: signal.signal(number, handle) for number in SIGNALS}
    try:
        yield request
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
