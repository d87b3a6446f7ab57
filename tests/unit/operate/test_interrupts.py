"""Ctrl-C while a trial runs: once to stop cleanly, twice to stop at once, and never after it."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from netarium.operate.interrupts import stop_on_signals


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_asks_and_the_second_insists(number: signal.Signals) -> None:
    announced = []
    with stop_on_signals(lambda: announced.append("stopping")) as request:
        assert not request()
        os.kill(os.getpid(), number)
        assert request()
        assert request.signal is number
        assert announced == ["stopping"]
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), number)


def test_handlers_are_put_back() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with pytest.raises(ValueError, match="inside"), stop_on_signals(lambda: None):
        raise ValueError("inside")
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def test_in_another_thread_nothing_is_touched() -> None:
    seen = []

    def work() -> None:
        before = signal.getsignal(signal.SIGINT)
        with stop_on_signals(lambda: None) as request:
            seen.append((signal.getsignal(signal.SIGINT) is before, request()))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [(True, False)]
