"""What is wrong with expectations: unknown service, port, slice, metric; another dimension; no window."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from netarium.catalog import COMMAND_METRICS, PORT_METRICS, SERVICE_METRICS, Metric
from netarium.describe.expect import COMPARISONS, Expect
from netarium.errors import Problem, did_you_mean, one_of
from netarium.units import DIMENSIONS

if TYPE_CHECKING:
    from netarium.describe.trial import Trial

LINKS = "links."


def expect_problems(trial: Trial, ports: list[str]) -> list[Problem]:
    """Every problem of the trial's expectations; `ports` are the names of the ports."""
    problems: list[Problem] = []
    for index, entry in enumerate(trial.expect):
        where = f"expect[{index}]"
        if entry.metric is None:
            if entry.slice not in trial.slices:
                problems.append(_unknown(f"{where}.slice", str(entry.slice), list(trial.slices), "slice"))
            continue
        metric = _metric(f"{where}.metric", entry.metric, trial, ports, problems)
        if metric is not None:
            problems += _value_problems(where, entry, metric)
            problems += _window_problems(where, entry, metric)
    return problems


def _metric(where: str, text: str, trial: Trial, ports: list[str], problems: list[Problem]) -> Metric | None:
    """The metric that a text names; None and a problem more when it names none."""
    table: Mapping[str, Metric]
    if text.startswith(LINKS):
        owner, word = _port_and_word(text.removeprefix(LINKS))
        owners, table, what = ports, PORT_METRICS, "port"
    else:
        owner, _, word = text.partition(".")
        owners, table, what = list(trial.services), SERVICE_METRICS, "service"
    if owner not in owners:
        problems.append(_unknown(where, owner, owners, what))
        return None
    if word not in table:
        hint = did_you_mean(word, table) or _statistics_of(word, table)
        expected = f"a metric of a {what}: {_listing(table)}"
        problems.append(Problem(where, repr(word) if word else f"only {owner!r}", expected, hint))
        return None
    if what == "service" and word in COMMAND_METRICS and trial.services[owner].kind != "command":
        problems.append(Problem(where, f"{word!r} of a {trial.services[owner].kind}", "that of a command"))
        return None
    return table[word]


def _listing(table: Mapping[str, Metric]) -> str:
    """All words of a table, statistics of one thing together: latency.(min|p50|…)."""
    grouped: dict[str, list[str]] = {}
    for name in table:
        stem, _, statistic = name.partition(".")
        grouped.setdefault(stem, []).append(statistic)
    return ", ".join(f"{k}.({'|'.join(v)})" if len(v) > 1 else k for k, v in grouped.items())


def _port_and_word(text: str) -> tuple[str, str]:
    """A port's name may hold points; the metric's word never does."""
    owner, point, word = text.rpartition(".")
    return (owner, word) if point else (text, "")


def _statistics_of(word: str, table: Mapping[str, Metric]) -> str:
    """`latency` alone, or `latency.p95`: what there is of it."""
    stem = word.split(".")[0]
    near = [name for name in table if name.startswith(f"{stem}.")]
    return f"there are {', '.join(near)}" if near else ""


def _unknown(where: str, name: str, known: list[str], what: str) -> Problem:
    expected = f"the name of a {what}: {one_of(known)}" if known else f"a {what}, but the trial has none"
    return Problem(where, repr(name), expected, did_you_mean(name, known))


def _value_problems(where: str, entry: Expect, metric: Metric) -> Iterator[Problem]:
    wanted = DIMENSIONS[metric.dimension] if metric.dimension else None
    for key in (*COMPARISONS, "within"):
        value = getattr(entry, key)
        if value is None or value.dimension in (None, metric.dimension):
            continue
        if key == "within" and value.dimension == "ratio":
            continue
        found = f"{value.text!r}, which is {DIMENSIONS[value.dimension].article}"
        expected = f"{wanted.article}, such as {wanted.example}" if wanted else "a bare number"
        yield Problem(f"{where}.{key}", found, f"{expected}, as {entry.metric}")


def _window_problems(where: str, entry: Expect, metric: Metric) -> Iterator[Problem]:
    if metric.windowed or (entry.from_ is None and entry.to is None):
        return
    key = "from" if entry.from_ is not None else "to"
    found = f"a window for {entry.metric}"
    hint = (
        "use .min, .mean or .max with a window"
        if ".latency." in str(entry.metric)
        else "leave out from and to"
    )
    yield Problem(f"{where}.{key}", found, "the whole run, the only time it is kept for", hint)
