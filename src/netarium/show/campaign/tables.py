"""Terminal view of a campaign: the sentences, a compact table of variants with intervals, what failed and why."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.console import Group as Lines
from rich.table import Table
from rich.text import Text

from netarium.measure.repeats.estimates import ONE, Estimate
from netarium.show import quantity
from netarium.show.campaign import causes, words
from netarium.show.campaign.effects import Contrast
from netarium.show.campaign.trials import Trials
from netarium.show.campaign.variants import Summary
from netarium.show.columns import GAP, Columns

METRICS = 5  # at most; as many as the terminal has room for
ROWS = 20
CAUSES = 8
CAUSE = 180  # characters of one
HEADING = 16  # characters of a variant's name above a column
JUDGED: tuple[tuple[str, Callable[[Summary], Estimate | None]], ...] = (
    ("met", lambda entry: entry.met),
    ("certified", lambda entry: entry.certified),
)


def summary(trials: Trials, found: Sequence[Summary], limit: int = ROWS) -> RenderableType:
    """What a campaign amounts to, in one view: sentences, variants (best first), failures, the place."""
    parts: list[RenderableType] = [Text(trials.title, style="bold")]
    parts += [Text(sentence) for sentence in words.summary(trials, found)]
    if trials.lead is not None:
        parts += [Text(), Variants(trials, found, limit)]
    if (trials.status != causes.SUCCEEDED).any():
        parts += [Text(), failures(trials)]
    parts += [Text(), _place(trials)]
    return Lines(*parts)


class Variants:
    """One line per variant: what was swept, seeds, means with 95 % intervals, as many metrics as there is room for.

    All values of a column have one unit, which its heading names.
    """

    def __init__(self, trials: Trials, found: Sequence[Summary], limit: int = ROWS) -> None:
        self.trials, self.found, self.limit = trials, found, limit

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        most = min(METRICS, len(self.trials.metrics))
        tables = (self._table(count) for count in range(most, 0, -1))
        table = next(
            (t for t in tables if sum(t.widths(10**6)) + GAP * len(t.columns) <= options.max_width), None
        )
        yield self._table(1) if table is None else table
        if len(self.found) > self.limit:
            yield Text(f"and {len(self.found) - self.limit:,} more variants, in the report", style="dim")
        if once := only_once(self.found):
            yield Text(once, style="dim")

    def _table(self, metrics: int) -> Columns:
        shown = self.trials.metrics[:metrics]
        scales = {metric: column_scale(self.trials, self.found, metric) for metric in shown}
        judged = [(name, of) for name, of in JUDGED if any(of(entry) is not None for entry in self.found)]
        headings = [(parameter.name, "left") for parameter in self.trials.parameters] or [("trial", "left")]
        headings += [("seeds", "right")]
        headings += [
            (f"{metric}\n{scales[metric][1]} [95 %]".replace("\n ", "\n"), "right") for metric in shown
        ]
        headings += [(name, "right") for name, _ in judged]
        rows = []
        for entry in self.found[: self.limit]:
            row = [*(entry.group.levels or (entry.group.label,)), counted(entry)]
            row += [" ".join(cells(entry.means[metric], scales[metric][0])) for metric in shown]
            rows.append([*row, *(of_total(of(entry)) for _, of in judged)])
        return Columns(headings, rows)


def column_scale(trials: Trials, found: Sequence[Summary], metric: str) -> tuple[float, str]:
    """One divisor and unit for all values of a column, chosen by the median one."""
    values = [abs(entry.means[metric].value) for entry in found if math.isfinite(entry.means[metric].value)]
    return quantity.scale(float(np.median(values)) if values else 1.0, trials.unit(metric))


def cells(mean: Estimate, divisor: float) -> tuple[str, str]:
    """The mean and its interval; "one seed" or "all equal" where there is none."""
    if mean.n == 0:
        return quantity.MISSING, ""
    without = "one seed" if mean.method == ONE else "all equal"
    return words.number(mean, divisor), words.interval(mean, divisor) or without


def counted(entry: Summary) -> str:
    """Seeds that were measured, of those that were run where some were not."""
    return str(entry.measured) if entry.measured == entry.count else f"{entry.measured}/{entry.count}"


def of_total(found: Estimate | None) -> str:
    return quantity.MISSING if found is None or not found.n else f"{round(found.value * found.n)}/{found.n}"


def only_once(found: Sequence[Summary]) -> str:
    once = sum(entry.measured == 1 for entry in found)
    if not once:
        return ""
    return f"one seed: no interval, so no variant can be said to differ ({once} of {len(found)} variants)"


def failures(trials: Trials, limit: int = CAUSES) -> RenderableType:
    """Trials that did not succeed by how they ended and why, most frequent first, with an example of each."""
    table = Table(box=None, padding=(0, GAP, 0, 0), pad_edge=False, show_edge=False, header_style="dim")
    table.add_column("ended", no_wrap=True)
    table.add_column("trials", justify="right", no_wrap=True)
    table.add_column("cause", ratio=3, overflow="fold")
    table.add_column("such as", ratio=2, overflow="fold")
    for each in causes.at_most(causes.of(trials), limit, "the report"):
        text = each.text if len(each.text) <= CAUSE else f"{each.text[: CAUSE - 1]}…"
        cells_of = (each.status.replace("_", " "), f"{each.trials:,}", text or quantity.MISSING, each.example)
        table.add_row(*map(Text, cells_of))
    return table


def comparison(trials: Trials, found: Sequence[Contrast]) -> RenderableType:
    """Two variants, or two values over all else, metric by metric; then a sentence for each metric."""
    rows = []
    for each in found:
        overall = each.effect.overall
        divisor, unit = quantity.scale(abs(overall.first_mean), trials.unit(each.metric))
        share = words.percent(overall.share) if overall.share is not None else quantity.MISSING
        rows.append(
            (f"{each.metric} ({unit})" if unit else each.metric, _value(overall.first_mean, divisor),
             _value(overall.second_mean, divisor), words.number(overall.mean, divisor, plus=True),
             words.interval(overall.mean, divisor) or overall.mean.method, share, f"{overall.delta:+.2f}",
             f"{each.p:.2g}", str(overall.n))
        )  # fmt: skip
    named = (found[0].effect.first, found[0].effect.second)
    is_long = max(map(len, named)) > HEADING
    first, second = ("first", "second") if is_long else named
    headings = (("metric", "left"), (first, "right"), (second, "right"), ("difference", "right"),
                ("95 % interval", "right"), ("share", "right"), ("Cliff's\ndelta", "right"), ("p", "right"),
                ("seeds", "right"))  # fmt: skip
    holm = f"p after Holm for {found[0].comparisons} metrics; " if found[0].comparisons > 1 else ""
    blocks = max(each.effect.blocks for each in found)
    over = f"averaged over {blocks} settings of everything else" if blocks > 1 else "one setting"
    sentences = (Text(words.pair(trials, each)) for each in found)
    names = [
        Text(f"{word:7} {name}") for word, name in zip(("first", "second"), named, strict=True) if is_long
    ]
    return Lines(*names, Columns(headings, rows), Text(f"{holm}{over}", style="dim"), Text(), *sentences)


def _value(value: float, divisor: float) -> str:
    return f"{value / divisor:.4g}" if math.isfinite(value) else quantity.MISSING


def _place(trials: Trials) -> Text:
    line = Text(overflow="fold")
    line.append("campaign ", style="dim").append(str(trials.record.path), style="bold")
    report = trials.record.path / "report.html"
    if report.is_file():
        line.append("\nreport   ", style="dim").append(str(report), style="bold")
    return line
