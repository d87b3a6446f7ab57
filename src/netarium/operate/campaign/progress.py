"""What a person sees while a campaign runs: a live line on a terminal, plain lines elsewhere, nothing when quiet."""

from __future__ import annotations

import sys
import time
from array import array
from collections import deque
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from netarium.operate.progress import FIRST_LINE_S, LONGEST_WAIT_S, clock

if TYPE_CHECKING:
    from netarium.describe.design import Design
    from netarium.store.campaignfolder import Row

RATE_WINDOW_S = 20.0
REFRESH_S = 0.2
UNSUCCESSFUL = ("failed", "refused", "crashed", "timeout", "out_of_memory")


class Tally:
    """How far a campaign is: trials by status, their rate, and which variant leads."""

    def __init__(self, design: Design, statuses: dict[str, int], left: int) -> None:
        self.total, self.statuses, self.left = len(design), statuses, left
        self.texts = [variant.text for variant in design.variants]
        self.leader = design.campaign.leader
        self.workers = 0
        self.done_now = 0
        self.began = time.monotonic()
        self._recent: deque[tuple[float, int]] = deque([(self.began, 0)])
        self._means: dict[int, tuple[int, float]] = {}
        self._place: dict[tuple[str, ...], int | None] = {}

    def add(self, variant: int, row: Row) -> None:
        """Count a result."""
        self.done_now += 1
        if self.leader is None or not row.names:
            return
        if row.names not in self._place:
            known = self.leader.metric in row.names
            self._place[row.names] = row.names.index(self.leader.metric) if known else None
        place = self._place[row.names]
        if place is None:
            return
        value = array("d", row.values)[place]
        if value == value:
            count, mean = self._means.get(variant, (0, 0.0))
            self._means[variant] = (count + 1, mean + (value - mean) / (count + 1))

    @property
    def done(self) -> int:
        return sum(self.statuses.values())

    @property
    def rate(self) -> float:
        """Trials a second, over the last seconds."""
        now = time.monotonic()
        self._recent.append((now, self.done_now))
        while len(self._recent) > 2 and now - self._recent[0][0] > RATE_WINDOW_S:
            self._recent.popleft()
        then, count = self._recent[0]
        return (self.done_now - count) / (now - then) if now > then else 0.0

    @property
    def numbers(self) -> str:
        """done, by status, running, rate, time left: 812 of 4,096 · 3 failed · 2 at once · 41 /s · 1:20 left."""
        parts = [f"{self.done:,} of {self.total:,}"]
        parts += [
            f"{self.statuses[status]:,} {status.replace('_', ' ')}"
            for status in UNSUCCESSFUL
            if self.statuses.get(status)
        ]
        rate = self.rate
        parts.append(f"{min(self.workers, self.total - self.done)} at once")
        if rate > 0:
            parts += [f"{rate:.3g} /s", f"{clock((self.total - self.done) / rate)} left"]
        return " · ".join(parts)

    @property
    def leading(self) -> str:
        """The variant that leads, on how many seeds; empty without a leader metric."""
        if self.leader is None or not self._means:
            return ""
        from netarium.measure.expectations import in_words
        from netarium.measure.kept import unit

        sign = 1 if self.leader.best == "highest" else -1
        best = max(self._means, key=lambda variant: sign * self._means[variant][1])
        count, mean = self._means[best]
        value = in_words(mean, unit(self.leader.metric))
        seeds = f"{count} seed{'s' if count > 1 else ''}"
        return (
            f"{self.leader.best} {self.leader.metric} so far: {value} ({self.texts[best]}; mean of {seeds})"
        )


class CampaignWatcher:
    """Sees a campaign go by; this one says nothing. A context manager around the trials."""

    tally: Tally | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take the live display away."""

    def begin(self, tally: Tally, folder: Path) -> None:
        """The trials are about to begin; `tally` is kept up to date."""
        self.tally = tally

    def say(self, text: str) -> None:
        """One line that stays."""

    def update(self) -> None:
        """Several times a second."""


class CampaignLines(CampaignWatcher):
    """Plain lines: at the start, after 2 s, 6 s, 14 s, …, then every minute, and at the end."""

    def __init__(self) -> None:
        self._wait = FIRST_LINE_S
        self._next = time.monotonic() + self._wait

    def __exit__(self, *_: Any) -> None:
        if self.tally is not None:
            self.say(f"  {self.tally.numbers}")

    def begin(self, tally: Tally, folder: Path) -> None:
        self.tally = tally
        self.say(opening(tally, folder))

    def say(self, text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    def update(self) -> None:
        if time.monotonic() < self._next or self.tally is None:
            return
        self._wait = min(2 * self._wait, LONGEST_WAIT_S)
        self._next = time.monotonic() + self._wait
        self.say(f"  {self.tally.numbers}")
        if self.tally.leading:
            self.say(f"  {self.tally.leading}")


class CampaignBar(CampaignWatcher):
    """A live bar with the numbers, and a line with the variant that leads."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        self._bar = Progress(
            BarColumn(bar_width=24),
            TextColumn("{task.percentage:>3.0f}% {task.fields[numbers]}"),
            TimeElapsedColumn(),
            TextColumn("{task.fields[leading]}"),
            console=Console(stderr=True),
            transient=True,
            auto_refresh=False,
        )
        self._task = self._bar.add_task("", total=None, numbers="", leading="")
        self._shown = 0.0

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self._bar.stop()

    def begin(self, tally: Tally, folder: Path) -> None:
        self.tally = tally
        self.say(opening(tally, folder))

    def say(self, text: str) -> None:
        self._bar.console.print(text, markup=False, highlight=False, soft_wrap=True)

    def update(self) -> None:
        now = time.monotonic()
        if self.tally is None or now - self._shown < REFRESH_S:
            return
        self._shown = now
        self._bar.update(
            self._task,
            total=self.tally.total,
            completed=self.tally.done,
            numbers=self.tally.numbers,
            leading=f"\n{self.tally.leading}" if self.tally.leading else "",
        )
        self._bar.refresh()


def opening(tally: Tally, folder: Path) -> str:
    """The first line: how many trials, how many of them are done, where the record is."""
    before = tally.total - tally.left
    carried = f", {before:,} done before" if before else ""
    return f"{tally.total:,} trials of {len(tally.texts):,} variants{carried}; record {folder}"


def campaign_watcher(quiet: bool) -> CampaignWatcher:
    """The watcher that suits where standard error goes."""
    if quiet:
        return CampaignWatcher()
    return CampaignBar() if sys.stderr.isatty() else CampaignLines()
