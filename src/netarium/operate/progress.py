"""What a person sees while a trial runs: a live bar on a terminal, plain lines elsewhere, nothing when quiet.

The runner tells a Watcher what happens; the watchers here write to standard error, so that standard output
holds only results.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

from netarium.units import SECOND_PS

if TYPE_CHECKING:
    from rich.progress import TaskID

    from netarium.run.simulate import Progress

FIRST_LINE_S, LONGEST_WAIT_S = 2.0, 60.0
COMPILE_ESTIMATE_S = 30


class Watcher:
    """Sees a run go by; this one says nothing. Use as a context manager around the run."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take the live display away."""

    def say(self, text: str) -> None:
        """One line that stays."""

    def stage(self, text: str) -> None:
        """What is being done now, until the next stage or the first progress."""

    def progress(self, now: Progress) -> None:
        """How far the simulation is; about ten times a second."""


class Numbers(Protocol):
    """What a line of progress needs of `netarium.run.simulate.Progress`."""

    virtual_ps: int
    duration_ps: int
    packet_hops: int
    wall_s: float


class Pace:
    """Speed and time left, from how far the run has come."""

    def __init__(self, now: Numbers) -> None:
        self.done = now.virtual_ps / now.duration_ps if now.duration_ps else 1.0
        self.hops_per_s = now.packet_hops / now.wall_s if now.wall_s > 0 else 0.0
        self.left_s = now.wall_s * (1 - self.done) / self.done if self.done > 0 else None

    @property
    def speed(self) -> str:
        """packet-hops per second, to three digits: 24.1 M packet-hops/s."""
        for scale, prefix in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
            if self.hops_per_s >= scale:
                return f"{self.hops_per_s / scale:.3g} {prefix} packet-hops/s"
        return f"{self.hops_per_s:.3g} packet-hops/s"

    @property
    def left(self) -> str:
        """Time left: 8 s left, 2:05 left."""
        return "" if self.left_s is None else f"{clock(self.left_s)} left"


def clock(seconds: float) -> str:
    """Seconds as people read them: 8 s, 2:05, 1:02:05."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def virtual_time(now: Numbers) -> str:
    """Virtual time of the trial: 6.2 of 20 s, in the unit that suits the duration."""
    for unit_ps, unit in ((SECOND_PS, "s"), (10**9, "ms"), (10**6, "us"), (10**3, "ns")):
        if now.duration_ps >= unit_ps:
            return f"{now.virtual_ps / unit_ps:.1f} of {now.duration_ps / unit_ps:g} {unit}"
    return f"{now.virtual_ps} of {now.duration_ps} ps"


class Lines(Watcher):
    """Plain lines, for logs: stages at once, progress after 2 s, 6 s, 14 s, …, then every minute."""

    def __init__(self) -> None:
        self._wait = FIRST_LINE_S
        self._next = time.monotonic() + self._wait

    def say(self, text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    def stage(self, text: str) -> None:
        self.say(text)

    def progress(self, now: Progress) -> None:
        if time.monotonic() < self._next:
            return
        self._wait = min(2 * self._wait, LONGEST_WAIT_S)
        self._next = time.monotonic() + self._wait
        pace = Pace(now)
        self.say(f"  {pace.done:4.0%}  {virtual_time(now)}  {pace.speed}  {pace.left}")


class Bar(Watcher):
    """A live bar: virtual time, packet-hops per second, time left."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        self._bar = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[numbers]}"),
            TimeElapsedColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._task: TaskID = self._bar.add_task("", total=None, numbers="")

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def say(self, text: str) -> None:
        self._bar.console.print(text, markup=False, highlight=False, soft_wrap=True)

    def stage(self, text: str) -> None:
        self._bar.reset(self._task, total=None, description=text, numbers="")

    def progress(self, now: Progress) -> None:
        pace = Pace(now)
        self._bar.update(
            self._task,
            total=now.duration_ps,
            completed=now.virtual_ps,
            description="simulating",
            numbers=f"{virtual_time(now)} · {pace.speed} · {pace.left}",
        )


def watcher(quiet: bool) -> Watcher:
    """The watcher that suits where standard error goes."""
    if quiet:
        return Watcher()
    return Bar() if sys.stderr.isatty() else Lines()


def compiling_notice(cache: Path) -> str:
    """What to say before the kernels are compiled for the first time."""
    return f"Compiling the engine once (about {COMPILE_ESTIMATE_S} s; kept in {cache} for later runs)"
